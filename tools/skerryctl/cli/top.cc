#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/time/clock.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/box_client.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/hub_client.h"
#include "tools/skerryctl/output.h"
#include "tools/skerryctl/step_error.h"
#include "tools/skerryctl/top/look.h"
#include "tools/skerryctl/top/screen.h"
#include "tools/skerryctl/top/view.h"

namespace skerry::skerryctl {
namespace {

struct Options {
  std::string run_dir = "/run/skerry";
  Endpoint hub;
  std::string interval = "2s";
  std::string output = "table";
  bool once = false;
  bool cloud = false;
};

// One page: what is there now, beside what was there before.
struct Page {
  nlohmann::json view;
  std::string text;
};
// The next page; the first one has nothing before it.
using Look = std::function<absl::StatusOr<Page>()>;

Look BoxLook(const Options& options) {
  struct State {
    explicit State(const std::string& run_dir) : box(run_dir) {}
    BoxClient box;
    SystemClock clock;
    BoxSnapshot before;
  };
  auto state = std::make_shared<State>(options.run_dir);
  return [state, run_dir = options.run_dir]() -> absl::StatusOr<Page> {
    BoxSnapshot now = LookAtBox(state->box, run_dir, state->clock);
    nlohmann::json view = BoxView(state->before, now);
    state->before = std::move(now);
    std::string text = BoxText(view);
    return Page{std::move(view), std::move(text)};
  };
}

absl::StatusOr<Look> CloudLook(const Options& options) {
  struct State {
    std::unique_ptr<HubClient> hub;
    SystemClock clock;
    CloudSnapshot before;
  };
  auto state = std::make_shared<State>();
  SKERRY_ASSIGN_OR_RETURN(state->hub, HubClient::Connect(options.hub));
  return Look([state]() -> absl::StatusOr<Page> {
    SKERRY_ASSIGN_OR_RETURN(auto sessions, state->hub->ListSessions());
    CloudSnapshot now{state->clock.Now(), state->clock.Monotonic(), std::move(sessions)};
    nlohmann::json view = CloudView(state->before, now);
    state->before = std::move(now);
    std::string text = CloudText(view);
    return Page{std::move(view), std::move(text)};
  });
}

absl::Status Top(const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(const absl::Duration interval,
                          ParsePositive("--interval", options.interval));
  if (interval < absl::Milliseconds(100) || interval > absl::Hours(1)) {
    return ToStatus({.exit_code = ExitCode::kUsage,
                     .step = "read the arguments",
                     .expected = "--interval from 100ms to 1h",
                     .seen = options.interval});
  }
  const Format format = ParseFormat(options.output);
  const bool once = options.once || format != Format::kTable;
  // Before there are threads: it takes signals.
  const std::unique_ptr<Screen> screen = once ? nullptr : Screen::Open();
  Look look;
  if (options.cloud) {
    SKERRY_ASSIGN_OR_RETURN(look, CloudLook(options));
  } else {
    look = BoxLook(options);
  }
  SKERRY_ASSIGN_OR_RETURN(Page page, look());
  if (once) {  // Rates need a second look.
    absl::SleepFor(interval);
    SKERRY_ASSIGN_OR_RETURN(page, look());
    std::cout << Render(format, page.view, [&] { return page.text; }) << std::flush;
    return absl::OkStatus();
  }
  while (true) {
    if (screen != nullptr) {
      screen->Draw(page.text);
      if (!screen->Await(interval)) return absl::OkStatus();
    } else {
      std::cout << page.text << std::endl;
      if (!std::cout) return absl::OkStatus();  // Nobody reads any more.
      absl::SleepFor(interval);
    }
    SKERRY_ASSIGN_OR_RETURN(page, look());
  }
}

}  // namespace

void AddTop(Commands& commands) {
  auto options = std::make_shared<Options>();
  CLI::App& command = commands.Add(
      "top",
      "watch this box: link, journal, sync, pods, devices, and what each service uses; with "
      "--cloud, the hub's sessions. 'q' ends it",
      kOnABox, [options] { return Top(*options); });
  command.add_option("--interval", options->interval, "time between two looks: 500ms, 10s")
      ->capture_default_str();
  command.add_flag("--once", options->once,
                   "print one page after one interval, over which rates are taken; so with -o "
                   "json and yaml");
  command.add_flag("--cloud", options->cloud, "watch the hub's sessions instead of this box");
  AddRunDir(commands, command, options->run_dir);
  AddOutput(commands, command, options->output);
  AddHub(commands, command, options->hub);
}

}  // namespace skerry::skerryctl
