// Compiled by Bazel when it links a binary, and given what --embed_label said if --stamp was.
extern const char kSkerryBuildStamp[];
const char kSkerryBuildStamp[] = BUILD_EMBED_LABEL;
