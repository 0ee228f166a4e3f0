// Opaque positions that clients hand back: versioned, bound to the store that gave them and to what
// was asked.
#ifndef SKERRY_SERVICES_LIB_WATCH_RESUME_TOKEN_H_
#define SKERRY_SERVICES_LIB_WATCH_RESUME_TOKEN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::watch {

// A revision of store `store_id`, valid for the watch described by `scope` ("configmaps,pods").
std::string EncodeResumeToken(absl::string_view store_id, absl::string_view scope,
                              int64_t revision);

// INVALID_ARGUMENT / RESUME_TOKEN_INVALID: not a token, or of another scope. OUT_OF_RANGE /
// RESUME_TOKEN_EXPIRED: of another store (a new one took its place) or of a version no longer read.
absl::StatusOr<int64_t> DecodeResumeToken(absl::string_view token, absl::string_view store_id,
                                          absl::string_view scope);

// A list position: the key after which the next page begins. INVALID_ARGUMENT / PAGE_TOKEN_INVALID.
std::string EncodePageToken(absl::string_view scope, absl::string_view after_key);
absl::StatusOr<std::string> DecodePageToken(absl::string_view token, absl::string_view scope);

// The error of a position that the log no longer reaches.
absl::Status ResumeTokenExpired();

}  // namespace skerry::watch

#endif  // SKERRY_SERVICES_LIB_WATCH_RESUME_TOKEN_H_
