#include "tools/skerryctl/doctor/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "tools/skerryctl/printable.h"
#include "tools/skerryctl/table.h"

namespace skerry::skerryctl {
namespace {

const char* Name(Severity severity) { return severity == Severity::kError ? "error" : "warning"; }

// "ok", "warning", "error" or "skipped".
std::string ResultOf(absl::string_view check, const Observations& seen,
                     const std::vector<Finding>& findings) {
  std::string result = WhySkipped(check, seen).empty() ? "ok" : "skipped";
  for (const Finding& finding : findings) {
    if (finding.diagnosis->check != check || result == "error") continue;
    result = Name(finding.diagnosis->severity);
  }
  return result;
}

nlohmann::json ReportOf(const Observations& seen, const std::vector<Finding>& findings) {
  nlohmann::json checks = nlohmann::json::array();
  for (absl::string_view check : ChecksOf(seen)) {
    nlohmann::json item = {{"check", std::string(check)},
                           {"result", ResultOf(check, seen, findings)}};
    if (item["result"] == "skipped") item["reason"] = WhySkipped(check, seen);
    checks.push_back(std::move(item));
  }
  nlohmann::json list = nlohmann::json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"code", std::string(finding.diagnosis->code)},
                    {"severity", Name(finding.diagnosis->severity)},
                    {"check", std::string(finding.diagnosis->check)},
                    {"seen", finding.seen},
                    {"cause", std::string(finding.diagnosis->cause)},
                    {"fix", std::string(finding.diagnosis->fix)}});
  }
  return {{"healthy", IsHealthy(findings)}, {"checks", checks}, {"findings", list}};
}

std::string TextOf(const Observations& seen, const std::vector<Finding>& findings) {
  Table table({"CHECK", "RESULT"});
  for (absl::string_view check : ChecksOf(seen)) {
    const std::string result = ResultOf(check, seen, findings);
    table.Add({std::string(check),
               result == "skipped" ? absl::StrCat(result, ": ", WhySkipped(check, seen)) : result});
  }
  std::string text = table.Render();
  for (const Finding& finding : findings) {
    absl::StrAppend(&text, "\n", Name(finding.diagnosis->severity), " [", finding.diagnosis->code,
                    "]\n  seen:  ", Printable(finding.seen),
                    "\n  cause: ", finding.diagnosis->cause, "\n  fix:   ", finding.diagnosis->fix,
                    "\n");
  }
  return text;
}

}  // namespace

bool IsHealthy(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.diagnosis->severity == Severity::kError;
  });
}

std::string RenderFindings(const Observations& seen, const std::vector<Finding>& findings,
                           Format format) {
  return Render(format, ReportOf(seen, findings), [&] { return TextOf(seen, findings); });
}

}  // namespace skerry::skerryctl
