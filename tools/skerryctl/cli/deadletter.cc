#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "absl/time/clock.h"
#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/deadletter/deadletter_command.h"
#include "tools/skerryctl/deadletter/router_client.h"
#include "tools/skerryctl/interrupt.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

struct Options {
  Endpoint router;
  std::string name_space = "default";
  std::string rule;
  bool payloads = false;
  size_t limit = 1000;
  std::vector<std::string> letters;
  bool all = false;
  std::string output = "table";
};

absl::Status List(const Options& options) {
  SKERRY_ASSIGN_OR_RETURN(const std::string rule, RuleNameOf(options.name_space, options.rule));
  SKERRY_ASSIGN_OR_RETURN(const std::unique_ptr<RouterClient> router,
                          RouterClient::Connect(options.router));
  LetterList list;
  SKERRY_RETURN_IF_ERROR(
      router->ListDeadLetters(rule, options.payloads, [&](const router::v1::DeadLetter& letter) {
        list.more = list.letters.size() == options.limit;
        if (!list.more) list.letters.push_back(letter);
        return !list.more;
      }));
  std::cout << RenderLetters(list, absl::Now(), ParseFormat(options.output));
  return absl::OkStatus();
}

// Those that are named, or all there are now: one that dies again is a new one.
absl::StatusOr<std::vector<std::string>> NamesOf(const Options& options, RouterClient& router) {
  std::vector<std::string> names;
  for (const std::string& text : options.letters) {
    SKERRY_ASSIGN_OR_RETURN(std::string name, LetterNameOf(text));
    names.push_back(std::move(name));
  }
  if (!names.empty()) return names;
  SKERRY_ASSIGN_OR_RETURN(const std::string rule, RuleNameOf(options.name_space, options.rule));
  SKERRY_RETURN_IF_ERROR(
      router.ListDeadLetters(rule, false, [&](const router::v1::DeadLetter& letter) {
        names.push_back(letter.name());
        return !Interrupt::Seen();
      }));
  if (Interrupt::Seen()) return Interrupted("nothing was done yet");
  return names;
}

absl::Status Handle(const Options& options, bool replay) {
  if (options.letters.empty() + options.rule.empty() + !options.all != 2) {
    return ToStatus({.exit_code = ExitCode::kUsage,
                     .step = "read the arguments",
                     .expected = "ids of dead letters, or --rule, or --all",
                     .seen = "none of them, or several"});
  }
  SKERRY_ASSIGN_OR_RETURN(const std::unique_ptr<RouterClient> router,
                          RouterClient::Connect(options.router));
  const Format format = ParseFormat(options.output);
  const Interrupt interrupt;  // A call that is under way comes to its end, and is counted.
  SKERRY_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesOf(options, *router));
  const LetterWork work = {.verb = replay ? "replayed" : "dropped",
                           .handle =
                               [&](const std::string& name) {
                                 return replay ? router->ReplayDeadLetter(name)
                                               : router->DropDeadLetter(name);
                               },
                           .interrupted = Interrupt::Seen,
                           .tell =
                               [format](const std::string& line) {
                                 if (format == Format::kTable) std::cout << line << std::flush;
                               },
                           .tolerant = options.letters.empty()};
  Handled handled;
  const absl::Status done = HandleLetters(names, work, handled);
  std::cout << RenderHandled(handled, work.verb, format) << std::flush;
  return done;
}

}  // namespace

void AddDeadLetter(Commands& commands) {
  auto options = std::make_shared<Options>();
  CLI::App& group = commands.AddGroup(
      "deadletter", "messages of nodes that the target of their rule did not take", kInTheCloud);
  CLI::App& list =
      commands.AddTo(group, "list", "list them in the order in which they died, and why they did",
                     [options] { return List(*options); });
  CLI::App& replay =
      commands.AddTo(group, "replay", "put them behind what waits for their rule's target",
                     [options] { return Handle(*options, true); });
  CLI::App& drop = commands.AddTo(group, "drop", "remove them for good",
                                  [options] { return Handle(*options, false); });
  for (CLI::App* command : {&replay, &drop}) {
    command->add_option("letters", options->letters, "their ids, as list shows them");
    command->add_flag("--all", options->all, "all of all rules");
  }
  for (CLI::App* command : {&list, &replay, &drop}) {
    CLI::Option* const rule = command->add_option("--rule", options->rule,
                                                  "all of this rule: its name, or namespace/name");
    // Without it, a namespace would not narrow --all, which may drop.
    command->add_option("-n,--namespace", options->name_space, "the rule's namespace")
        ->capture_default_str()
        ->needs(rule);
    AddRouter(commands, *command, options->router);
    AddOutput(commands, *command, options->output);
  }
  list.add_flag("--payloads", options->payloads,
                "with what they carry, in base64: for -o json and yaml");
  list.add_option("--limit", options->limit, "most to list")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
}

}  // namespace skerry::skerryctl
