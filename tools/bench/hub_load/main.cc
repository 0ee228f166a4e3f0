// Simulates edge nodes and a controller against a hub, or clients of a server that echoes. What to
// do comes as lines on standard input, each answered by one line of name=value on standard output
// (or error=…): tools/bench/hub is the command for people.
//   connect PARALLEL              -> seconds=
//   up SECONDS BYTES RATE         -> answered= p50_ms= p99_ms= max_ms=
//                                    SECONDS 0: until the next line comes, which is done then;
//                                    RATE 0: as many as it takes
//   down SECONDS BYTES RATE       -> the same, from the controller
//   broadcast up|down BYTES       -> p50_s= p99_s= p100_s=
//   storm SECONDS                 -> ready=1, whereupon the server is to be killed, and
//                                    p50_s= p99_s= p100_s=
//   tcp                           -> sent= received= segments_sent= segments_received=
//   hostile KIND                  -> hostile= connections that are hostile from here on
//                                    huge_frames, never_acks, reconnects, garbage, all, none
//   state                         -> in_sync= lost=
//   leave                         -> left=
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/status_macros.h"
#include "tools/bench/hub_load/controller.h"
#include "tools/bench/hub_load/event_loop.h"
#include "tools/bench/hub_load/fleet.h"
#include "tools/bench/hub_load/load.h"
#include "tools/bench/hub_load/node.h"

namespace skerry::bench {
namespace {

constexpr absl::Duration kConnectMax = absl::Minutes(5);
constexpr absl::Duration kDay = absl::Hours(24);
constexpr std::pair<absl::string_view, Hostility> kHostilities[] = {
    {"huge_frames", Hostility::kHugeFrames},
    {"never_acks", Hostility::kNeverAcks},
    {"reconnects", Hostility::kReconnects},
    {"garbage", Hostility::kGarbage},
};

// Lines of standard input, while the loop runs.
class Commands final : public EventLoop::Handler {
 public:
  void OnReady(uint32_t) override {
    char buffer[4096];
    const ssize_t count = read(STDIN_FILENO, buffer, sizeof(buffer));
    if (count <= 0) {
      ended_ = true;
      return;
    }
    text_.append(buffer, static_cast<size_t>(count));
  }
  bool waiting() const { return ended_ || text_.find('\n') != std::string::npos; }
  // Empty at the end of the input.
  std::string Take() {
    const size_t end = text_.find('\n');
    if (end == std::string::npos) return "";
    std::string line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return line;
  }

 private:
  std::string text_;
  bool ended_ = false;
};

struct Bench {
  EventLoop& loop;
  const Commands& commands;
  Fleet& fleet;
  Controller* controller;  // Null: echo.
  int nodes;
};

std::string Times(const std::vector<double>& seconds) {
  return absl::StrCat("p50_s=", Quantile(seconds, 0.5), " p99_s=", Quantile(seconds, 0.99),
                      " p100_s=", Quantile(seconds, 1));
}

absl::StatusOr<Path*> PathOf(Bench& bench, const std::string& direction) {
  if (direction == "up") return &bench.fleet;
  if (bench.controller != nullptr) return bench.controller;
  return absl::InvalidArgumentError("an echo has no way down");
}

absl::StatusOr<std::string> Connect(Bench& bench, int parallel) {
  const absl::Duration begin = EventLoop::Now();
  if (!bench.fleet.Connect(parallel, kConnectMax)) {
    return absl::DeadlineExceededError(
        absl::StrCat("only ", bench.fleet.in_sync(), " nodes came in sync"));
  }
  return absl::StrCat("seconds=", absl::ToDoubleSeconds(EventLoop::Now() - begin));
}

absl::StatusOr<std::string> Load(Bench& bench, const std::string& direction, double seconds,
                                 size_t bytes, double rate) {
  SKERRY_ASSIGN_OR_RETURN(Path * path, PathOf(bench, direction));
  LoadOptions options{bench.nodes, bytes, absl::Seconds(seconds), nullptr, rate};
  if (seconds == 0) {
    options.time = kDay;
    options.told_to_end = [&bench] { return bench.commands.waiting(); };
  }
  SKERRY_ASSIGN_OR_RETURN(LoadResult result, RunLoad(bench.loop, *path, options));
  return absl::StrCat("answered=", result.answered, " p50_ms=", result.p50_ms,
                      " p99_ms=", result.p99_ms, " max_ms=", result.max_ms);
}

absl::StatusOr<std::string> BeHostile(Bench& bench, const std::string& wanted) {
  if (bench.controller == nullptr) return absl::InvalidArgumentError("an echo has no hostile node");
  std::vector<Hostility> kinds;
  for (const auto& [name, kind] : kHostilities) {
    if (wanted == name || wanted == "all") kinds.push_back(kind);
  }
  if (kinds.empty() && wanted != "none") {
    return absl::InvalidArgumentError(absl::StrCat("'", wanted, "' is no kind of hostility"));
  }
  bench.fleet.BeHostile(kinds);
  return absl::StrCat("hostile=", kinds.size());
}

absl::StatusOr<std::string> Run(Bench& bench, const std::string& line) {
  std::istringstream words(line);
  std::string command;
  std::string word;
  double seconds = 0;
  size_t bytes = 0;
  double rate = 0;
  int parallel = 0;
  words >> command;
  if (command == "connect" && words >> parallel && parallel > 0) return Connect(bench, parallel);
  if ((command == "up" || command == "down") && words >> seconds >> bytes >> rate) {
    return Load(bench, command, seconds, bytes, rate);
  }
  if (command == "broadcast" && words >> word >> bytes) {
    SKERRY_ASSIGN_OR_RETURN(Path * path, PathOf(bench, word));
    SKERRY_ASSIGN_OR_RETURN(std::vector<double> all,
                            Broadcast(bench.loop, *path, bench.nodes, bytes));
    return Times(all);
  }
  if (command == "storm" && words >> seconds) {
    std::cout << "ready=1" << std::endl;
    SKERRY_ASSIGN_OR_RETURN(std::vector<double> all, bench.fleet.Storm(absl::Seconds(seconds)));
    return Times(all);
  }
  if (command == "tcp") {
    const TcpBytes tcp = bench.fleet.tcp();
    return absl::StrCat("sent=", tcp.sent, " received=", tcp.received,
                        " segments_sent=", tcp.segments_sent,
                        " segments_received=", tcp.segments_received);
  }
  if (command == "hostile" && words >> word) return BeHostile(bench, word);
  if (command == "state") {
    return absl::StrCat("in_sync=", bench.fleet.in_sync(), " lost=", bench.fleet.lost());
  }
  if (command == "leave") {
    bench.fleet.Stop();
    return absl::StrCat("left=", bench.nodes);
  }
  return absl::InvalidArgumentError(absl::StrCat("'", line, "' is no command"));
}

absl::Status Serve(const Fleet::Options& options, const std::string& api) {
  EventLoop loop;
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<Fleet> fleet, Fleet::Create(loop, options));
  std::unique_ptr<Controller> controller;
  if (!options.echo) {
    SKERRY_ASSIGN_OR_RETURN(
        controller,
        Controller::Create(loop, {api, options.state_dir, options.name_prefix, options.nodes}));
  }
  auto commands = std::make_shared<Commands>();
  Bench bench{loop, *commands, *fleet, controller.get(), options.nodes};
  loop.Watch(STDIN_FILENO, EPOLLIN, commands);
  std::cout << "ready=1" << std::endl;
  while (loop.RunUntil([&] { return commands->waiting(); }, kDay)) {
    const std::string line = commands->Take();
    if (line.empty()) break;
    const absl::StatusOr<std::string> answer = Run(bench, line);
    std::cout << (answer.ok() ? *answer : absl::StrCat("error=", answer.status().message()))
              << std::endl;
  }
  // The controller's calls go on, on gRPC's threads: nothing of it is destroyed.
  std::_Exit(0);
}

// Every node is an open file.
absl::Status RaiseFileLimit(int nodes) {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t needed = static_cast<rlim_t>(nodes) + 100;
  if (limit.rlim_cur >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      nodes, " nodes need ", needed, " open files, the hard limit is ", limit.rlim_max));
}

}  // namespace
}  // namespace skerry::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  // As every service does (services/lib/process/run.cc): else each mutex of gRPC takes a global
  // one.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  skerry::bench::Fleet::Options options;
  std::string api;
  CLI::App app("Simulates edge nodes and a controller; see tools/bench/hub.");
  app.add_option("--target", options.target, "address:port that the nodes dial")->required();
  app.add_option("--api", api,
                 "address:port that the controller dials; without it, the target echoes");
  app.add_option("--state-dir", options.state_dir,
                 "the hub's, for its CA and a controller's certificate")
      ->required();
  app.add_option("--name-prefix", options.name_prefix, "of the nodes' names")->required();
  app.add_option("--nodes", options.nodes)->required()->check(CLI::Range(1, 100000));
  CLI11_PARSE(app, argc, argv);
  options.echo = api.empty();
  absl::Status status = skerry::bench::RaiseFileLimit(options.nodes);
  if (status.ok()) status = skerry::bench::Serve(options, api);
  std::cerr << "hub_load: " << status.message() << std::endl;
  return 1;
}
