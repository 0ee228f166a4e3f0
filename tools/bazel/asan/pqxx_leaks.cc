// What AddressSanitizer is to leave out: libpqxx 6.4 loses a result of libpq (2 kB) each time that
// a query finds its connection broken, for it throws between PQexec and the result's owner. Linked
// by tools/bazel/deps:pqxx under --config=asan only. Objects of our own that are lost still show.

// Read by the sanitizer's runtime; the name is its own.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx\n"; }
