#include "services/edged-svc/core/cri_log.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace skerry::edged {
namespace {

// Takes the word up to the next space off `rest`; empty where there is no space.
absl::string_view TakeWord(absl::string_view& rest) {
  const size_t space = rest.find(' ');
  if (space == absl::string_view::npos) return {};
  const absl::string_view word = rest.substr(0, space);
  rest.remove_prefix(space + 1);
  return word;
}

}  // namespace

std::optional<CriLogLine> ParseCriLogLine(absl::string_view line) {
  CriLogLine parsed;
  parsed.stamp = TakeWord(line);
  const absl::string_view stream = TakeWord(line);
  const absl::string_view tags = TakeWord(line);
  if ((stream != "stdout" && stream != "stderr") || tags.empty()) return std::nullopt;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, parsed.stamp, &parsed.time, &error)) return std::nullopt;
  parsed.partial = tags.substr(0, tags.find(':')) == "P";
  parsed.text = line;
  return parsed;
}

void LogFormatter::Append(absl::string_view line, std::string& out) {
  const std::optional<CriLogLine> parsed = ParseCriLogLine(line);
  if (!parsed.has_value() || parsed->time < options_.since || Full()) return;
  const size_t before = out.size();
  if (options_.timestamps && !in_line_) absl::StrAppend(&out, parsed->stamp, " ");
  absl::StrAppend(&out, parsed->text, parsed->partial ? "" : "\n");
  in_line_ = parsed->partial;
  if (!left_.has_value()) return;
  const int64_t added = std::min<int64_t>(static_cast<int64_t>(out.size() - before), *left_);
  out.resize(before + static_cast<size_t>(added));
  *left_ -= added;
}

}  // namespace skerry::edged
