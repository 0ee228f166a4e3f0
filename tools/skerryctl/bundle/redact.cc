#include "tools/skerryctl/bundle/redact.h"

#include <re2/re2.h>

#include <vector>

#include "absl/strings/str_cat.h"

namespace skerry::skerryctl {
namespace {

// Of settings and fields that hold secrets; what comes before is part of such a name.
constexpr char kKeys[] = "(?:password|passwd|secret|token|credential|api_?key|private_?key)s?";

struct Rule {
  RE2 pattern;
  const char* replacement;
};

const std::vector<const Rule*>& Rules() {
  static const auto& rules = *new std::vector<const Rule*>{
      // Its end may be missing, or, in the tail of a file, its beginning.
      new Rule{
          RE2(R"((?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z))"),
          "[redacted private key]"},
      new Rule{RE2(R"((?s)\A[A-Za-z0-9+/=\s]*-----END [A-Z ]*PRIVATE KEY-----)"),
               "[redacted private key]"},
      new Rule{RE2(R"(([0-9a-f]{64}\.[a-z0-9]{12}\.)[a-z0-9]+)"), R"(\1[redacted])"},
      new Rule{RE2(R"(eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?)"), "[redacted]"},
      new Rule{RE2(R"re((?i)(authorization\\?["']?\s*[:=]\s*\\?["']?)[^"'\n\\]+)re"),
               R"(\1[redacted])"},
      new Rule{RE2(R"re((?i)\b(bearer\s+)[^\s"',\\]+)re"), R"(\1[redacted])"},
      new Rule{RE2(R"re((://[^/\s:@"']*:)[^/\s@"']+@)re"), R"(\1[redacted]@)"},
      // YAML's block scalars; then what is quoted, and whatever else is on the line.
      new Rule{
          RE2(absl::StrCat("(?i)(", kKeys,
                           R"re(["']?[ \t]*:[ \t]*)[|>][^\n]*\n(?:[ \t]+[^\n]*(?:\n|\z))+)re")),
          "\\1[redacted]\n"},
      new Rule{
          RE2(absl::StrCat(
              "(?i)(", kKeys,
              R"re(\\?["']?[ \t]*[:=][ \t]*)(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|[^\s][^\n]*))re")),
          R"(\1[redacted])"},
  };
  return rules;
}

}  // namespace

std::string Redact(absl::string_view text) {
  std::string out(text);
  for (const Rule* rule : Rules()) RE2::GlobalReplace(&out, rule->pattern, rule->replacement);
  return out;
}

}  // namespace skerry::skerryctl
