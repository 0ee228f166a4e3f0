#include "services/lib/watch/resume_token.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"

namespace skerry::watch {
namespace {

constexpr char kResumeVersion[] = "w1";
constexpr char kPageVersion[] = "p1";
constexpr size_t kTokenBytesMax = 4096;

absl::Status InvalidToken(absl::string_view message, absl::string_view reason) {
  return Error(absl::StatusCode::kInvalidArgument, message).Reason(reason);
}

// Fields are joined by newlines: none of them can contain one (types and keys are Kubernetes
// names).
std::string Pack(std::initializer_list<absl::string_view> fields) {
  std::string plain;
  for (absl::string_view field : fields) {
    if (!plain.empty()) plain += '\n';
    absl::StrAppend(&plain, field);
  }
  return absl::WebSafeBase64Escape(plain);
}

bool Unpack(absl::string_view token, std::vector<std::string>& fields) {
  std::string plain;
  if (token.size() > kTokenBytesMax || !absl::WebSafeBase64Unescape(token, &plain)) return false;
  fields = absl::StrSplit(plain, '\n');
  return !fields.empty();
}

}  // namespace

std::string EncodeResumeToken(absl::string_view store_id, absl::string_view scope,
                              int64_t revision) {
  return Pack({kResumeVersion, store_id, scope, absl::StrCat(revision)});
}

absl::StatusOr<int64_t> DecodeResumeToken(absl::string_view token, absl::string_view store_id,
                                          absl::string_view scope) {
  std::vector<std::string> fields;
  if (!Unpack(token, fields) || fields[0].empty() || fields[0][0] != 'w') {
    return InvalidToken("resume_token: not a token of this API", "RESUME_TOKEN_INVALID");
  }
  if (fields[0] != kResumeVersion) return ResumeTokenExpired();
  int64_t revision = 0;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[3], &revision) || revision < 0) {
    return InvalidToken("resume_token: not a token of this API", "RESUME_TOKEN_INVALID");
  }
  if (fields[2] != scope) {
    return InvalidToken("resume_token: of a watch of other types", "RESUME_TOKEN_INVALID");
  }
  if (fields[1] != store_id) return ResumeTokenExpired();
  return revision;
}

std::string EncodePageToken(absl::string_view scope, absl::string_view after_key) {
  return Pack({kPageVersion, scope, after_key});
}

absl::StatusOr<std::string> DecodePageToken(absl::string_view token, absl::string_view scope) {
  std::vector<std::string> fields;
  if (!Unpack(token, fields) || fields.size() != 3 || fields[0] != kPageVersion) {
    return InvalidToken("page_token: not a token of this API", "PAGE_TOKEN_INVALID");
  }
  if (fields[1] != scope) {
    return InvalidToken("page_token: of another type or namespace", "PAGE_TOKEN_INVALID");
  }
  return fields[2];
}

absl::Status ResumeTokenExpired() {
  return Error(absl::StatusCode::kOutOfRange,
               "the position is too old; watch again without a resume token")
      .Reason("RESUME_TOKEN_EXPIRED");
}

}  // namespace skerry::watch
