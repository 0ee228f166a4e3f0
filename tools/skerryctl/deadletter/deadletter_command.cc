#include "tools/skerryctl/deadletter/deadletter_command.h"

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/lib/model/names.h"
#include "tools/skerryctl/step_error.h"
#include "tools/skerryctl/table.h"

namespace skerry::skerryctl {
namespace {

constexpr char kPrefix[] = "deadLetters/";
constexpr char kUnknown[] = "DEAD_LETTER_UNKNOWN";
constexpr char kInDoubt[] = "COMMIT_IN_DOUBT";  // PostgreSQL's answer did not come to router-svc.

absl::Status Usage(absl::string_view expected, absl::string_view seen) {
  return ToStatus({.exit_code = ExitCode::kUsage,
                   .step = "read the arguments",
                   .expected = std::string(expected),
                   .seen = std::string(seen)});
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// "namespaces/default/rules/alarms" to "default/alarms".
std::string ShortRule(const std::string& rule) {
  const std::vector<std::string> parts = absl::StrSplit(rule, '/');
  return parts.size() == 4 ? absl::StrCat(parts[1], "/", parts[3]) : rule;
}

}  // namespace

absl::StatusOr<std::string> LetterNameOf(absl::string_view text) {
  absl::string_view digits = absl::StripPrefix(text, kPrefix);
  int64_t id = 0;
  if (!absl::SimpleAtoi(digits, &id) || id < 1) {
    return Usage("the id of a dead letter, as skerryctl deadletter list shows it", text);
  }
  return absl::StrCat(kPrefix, id);
}

absl::StatusOr<std::string> RuleNameOf(absl::string_view name_space, absl::string_view rule) {
  if (rule.empty()) return std::string();
  const size_t slash = rule.find('/');
  if (slash != absl::string_view::npos) {
    name_space = rule.substr(0, slash);
    rule.remove_prefix(slash + 1);
  }
  if (name_space.empty() || !ObjectKey::Make(name_space, rule).ok()) {
    return Usage("--rule name or namespace/name", absl::StrCat(name_space, "/", rule));
  }
  return absl::StrCat("namespaces/", name_space, "/rules/", rule);
}

std::string RenderLetters(const LetterList& list, absl::Time now, Format format) {
  nlohmann::json letters = nlohmann::json::array();
  for (const router::v1::DeadLetter& letter : list.letters) letters.push_back(JsonOf(letter));
  return Render(format, {{"deadLetters", letters}, {"more", list.more}}, [&]() -> std::string {
    if (list.letters.empty()) return "No dead letters.\n";
    Table table({"ID", "RULE", "NODE", "SOURCE", "BYTES", "DIED", "ERROR"});
    for (const router::v1::DeadLetter& letter : list.letters) {
      table.Add({std::string(absl::StripPrefix(letter.name(), kPrefix)), ShortRule(letter.rule()),
                 letter.node(), letter.source(), absl::StrCat(letter.payload_bytes()),
                 Age(now - TimeOf(letter.dead_time())), letter.error()});
    }
    return absl::StrCat(table.Render(), list.more ? "There are more: --limit\n" : "");
  });
}

absl::Status HandleLetters(const std::vector<std::string>& names, const LetterWork& work,
                           Handled& handled) {
  handled.left = names.size();
  for (const std::string& name : names) {
    if (work.interrupted()) return Interrupted("see the counts");
    const absl::Status done = work.handle(name);
    const StepError error = FromStatus(done);
    if (done.ok()) {
      handled.names.push_back(name);
      work.tell(absl::StrCat(name, " ", work.verb, "\n"));
    } else if (work.tolerant && error.reason == kUnknown) {
      handled.gone.push_back(name);
      work.tell(absl::StrCat(name, " was gone\n"));
    } else {
      if (error.exit_code == ExitCode::kUnreachable || error.reason == kInDoubt)
        handled.unanswered = name;
      return done;
    }
    --handled.left;
  }
  return absl::OkStatus();
}

absl::Status Interrupted(absl::string_view done) {
  return ToStatus({.step = "work on the dead letters",
                   .expected = "to come to the end of them",
                   .seen = absl::StrCat("interrupted: ", done),
                   .fix = "the same command goes on with those that are left",
                   .reason = "INTERRUPTED"});
}

std::string RenderHandled(const Handled& handled, const std::string& verb, Format format) {
  nlohmann::json json = {{verb, handled.names},
                         {"gone", handled.gone},
                         {"leftCount", handled.left},
                         {"unanswered", nullptr}};
  if (!handled.unanswered.empty()) json["unanswered"] = handled.unanswered;
  return Render(format, json, [&]() -> std::string {
    const size_t all = handled.names.size() + handled.gone.size() + handled.left;
    if (all == 0) return "No dead letters.\n";
    if (all == 1 && handled.unanswered.empty()) return "";
    std::string text = absl::StrCat(handled.names.size(), " ", verb);
    if (!handled.gone.empty()) absl::StrAppend(&text, ", ", handled.gone.size(), " gone");
    if (handled.left > 0) absl::StrAppend(&text, ", ", handled.left, " left");
    if (!handled.unanswered.empty()) {
      absl::StrAppend(&text, "; of ", handled.unanswered, " there was no answer: it may be ", verb);
    }
    return text + "\n";
  });
}

}  // namespace skerry::skerryctl
