// Stands before protobuf's own under --config=tsan. There MapFieldBase has two members more for
// ThreadSanitizer, of which Debian's libprotobuf, built without it, knows nothing: it would find a
// map where there is none. What the header includes comes first, so that all but its own classes
// sees the sanitizer.
#ifndef SKERRY_TOOLS_BAZEL_TSAN_INCLUDE_GOOGLE_PROTOBUF_MAP_FIELD_H_
#define SKERRY_TOOLS_BAZEL_TSAN_INCLUDE_GOOGLE_PROTOBUF_MAP_FIELD_H_

#include <google/protobuf/generated_message_reflection.h>  // NOLINT(missing-dep): depends on this
#include <google/protobuf/map_entry.h>                     // NOLINT(missing-dep): depends on this
#include <google/protobuf/map_field_lite.h>                // NOLINT(missing-dep): depends on this

#include <atomic>
#include <functional>

#pragma push_macro("__SANITIZE_THREAD__")
#undef __SANITIZE_THREAD__
#include_next <google/protobuf/map_field.h>
#pragma pop_macro("__SANITIZE_THREAD__")

#endif  // SKERRY_TOOLS_BAZEL_TSAN_INCLUDE_GOOGLE_PROTOBUF_MAP_FIELD_H_
