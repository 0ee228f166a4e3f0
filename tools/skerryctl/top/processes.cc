#include "tools/skerryctl/top/processes.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace skerry::skerryctl {
namespace {

namespace fs = std::filesystem;

std::string ReadText(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// "Pss:   1234 kB"; nullopt where another user's process is not for us to read.
std::optional<int64_t> ReadProportional(const std::string& folder) {
  for (absl::string_view line : absl::StrSplit(ReadText(folder + "/smaps_rollup"), '\n')) {
    if (!absl::ConsumePrefix(&line, "Pss:") || !absl::ConsumeSuffix(&line, " kB")) continue;
    int64_t kilobytes = 0;
    if (absl::SimpleAtoi(line, &kilobytes)) return kilobytes << 10;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> ServerOf(const std::string& socket_path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path)) return std::nullopt;
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  ucred peer = {};
  socklen_t size = sizeof(peer);
  const bool known =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0;
  close(fd);
  if (!known) return std::nullopt;
  return peer.pid;
}

std::optional<ProcessUsage> ReadProcess(int64_t pid) {
  const std::string folder = absl::StrCat("/proc/", pid);
  // "pid (name) state ppid …": the name may have spaces and parentheses.
  const std::string stat = ReadText(folder + "/stat");
  const size_t open = stat.find('('), end = stat.rfind(')');
  if (open == std::string::npos || end == std::string::npos || end < open) return std::nullopt;
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(end + 1), ' ', absl::SkipEmpty());
  constexpr size_t kUser = 11, kSystem = 12, kStart = 19, kResident = 21;  // From "state" on.
  int64_t user = 0, system = 0, pages = 0;
  ProcessUsage out{.name = stat.substr(open + 1, end - open - 1), .pid = pid};
  if (fields.size() <= kResident || !absl::SimpleAtoi(fields[kUser], &user) ||
      !absl::SimpleAtoi(fields[kSystem], &system) ||
      !absl::SimpleAtoi(fields[kStart], &out.start_ticks) ||
      !absl::SimpleAtoi(fields[kResident], &pages)) {
    return std::nullopt;
  }
  out.cpu_time = absl::Seconds(user + system) / sysconf(_SC_CLK_TCK);
  out.resident_bytes = pages * sysconf(_SC_PAGESIZE);
  out.proportional_bytes = ReadProportional(folder);
  return out;
}

std::vector<ProcessUsage> BoxProcesses(const std::string& run_dir) {
  std::set<int64_t> pids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run_dir, error)) {
    if (!entry.is_socket(error)) continue;
    if (const auto pid = ServerOf(entry.path().string()); pid.has_value()) pids.insert(*pid);
  }
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    int64_t pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    const std::string name = ReadText(entry.path().string() + "/comm");
    if (name == "eventbus-svc\n" || name == "servicebus-svc\n") pids.insert(pid);
  }
  std::vector<ProcessUsage> out;
  for (const int64_t pid : pids) {
    if (auto process = ReadProcess(pid); process.has_value()) out.push_back(*std::move(process));
  }
  std::sort(out.begin(), out.end(), [](const ProcessUsage& a, const ProcessUsage& b) {
    return std::tie(a.name, a.pid) < std::tie(b.name, b.pid);
  });
  return out;
}

}  // namespace skerry::skerryctl
