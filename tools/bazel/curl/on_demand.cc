// libcurl, loaded with the first call: the functions of it that we use, which pass on to it.
//
// With it come some twenty libraries (GnuTLS, Kerberos, LDAP, SSH), which cost each process 1 MB
// of its own, and all of a box 5 MB of code, before anything is called, and most of them never call
// (docs/adr/0054-memory-of-a-box.md). Where it can't be loaded, it can't be initialised.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>  // NOLINT(missing-dep): curl depends on this
#include <dlfcn.h>

#include <cstdarg>

// Macros of the header, for other compilers.
#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace {

struct Library {
  decltype(&curl_global_init) global_init;
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_easy_reset) easy_reset;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_perform) easy_perform;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_multi_init) multi_init;
  decltype(&curl_multi_cleanup) multi_cleanup;
  decltype(&curl_multi_add_handle) multi_add_handle;
  decltype(&curl_multi_remove_handle) multi_remove_handle;
  decltype(&curl_multi_perform) multi_perform;
  decltype(&curl_multi_poll) multi_poll;
  decltype(&curl_multi_wakeup) multi_wakeup;
  decltype(&curl_multi_info_read) multi_info_read;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
};

// False where the library does not have it.
template <typename Function>
bool Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

// Null where it is missing or is another one.
const Library* Load() {
  void* const l = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (l == nullptr) return nullptr;
  static Library found;
  const bool all = Find(l, "curl_global_init", found.global_init) &&
                   Find(l, "curl_easy_init", found.easy_init) &&
                   Find(l, "curl_easy_cleanup", found.easy_cleanup) &&
                   Find(l, "curl_easy_reset", found.easy_reset) &&
                   Find(l, "curl_easy_setopt", found.easy_setopt) &&
                   Find(l, "curl_easy_getinfo", found.easy_getinfo) &&
                   Find(l, "curl_easy_perform", found.easy_perform) &&
                   Find(l, "curl_easy_strerror", found.easy_strerror) &&
                   Find(l, "curl_multi_init", found.multi_init) &&
                   Find(l, "curl_multi_cleanup", found.multi_cleanup) &&
                   Find(l, "curl_multi_add_handle", found.multi_add_handle) &&
                   Find(l, "curl_multi_remove_handle", found.multi_remove_handle) &&
                   Find(l, "curl_multi_perform", found.multi_perform) &&
                   Find(l, "curl_multi_poll", found.multi_poll) &&
                   Find(l, "curl_multi_wakeup", found.multi_wakeup) &&
                   Find(l, "curl_multi_info_read", found.multi_info_read) &&
                   Find(l, "curl_slist_append", found.slist_append) &&
                   Find(l, "curl_slist_free_all", found.slist_free_all);
  return all ? &found : nullptr;
}

const Library* Curl() {
  static const Library* const library = Load();
  return library;
}

}  // namespace

extern "C" {

// Without the library there is no handle, and nobody asks for more.

CURLcode curl_global_init(long flags) {  // NOLINT(google-runtime-int): curl's type
  return Curl() == nullptr ? CURLE_FAILED_INIT : Curl()->global_init(flags);
}
CURL* curl_easy_init() { return Curl() == nullptr ? nullptr : Curl()->easy_init(); }
CURLM* curl_multi_init() { return Curl() == nullptr ? nullptr : Curl()->multi_init(); }
curl_slist* curl_slist_append(curl_slist* list, const char* text) {
  return Curl() == nullptr ? nullptr : Curl()->slist_append(list, text);
}
void curl_slist_free_all(curl_slist* list) {
  if (list != nullptr) Curl()->slist_free_all(list);
}
void curl_easy_cleanup(CURL* easy) {
  if (easy != nullptr) Curl()->easy_cleanup(easy);
}
CURLMcode curl_multi_cleanup(CURLM* multi) {
  return multi == nullptr ? CURLM_BAD_HANDLE : Curl()->multi_cleanup(multi);
}

// What follows the option is a pointer, a long or a curl_off_t: all are passed alike, and as wide,
// where Skerry runs.
static_assert(sizeof(void*) == sizeof(long) &&  // NOLINT(google-runtime-int): curl's type
              sizeof(void*) == sizeof(curl_off_t));
CURLcode curl_easy_setopt(CURL* easy, CURLoption option, ...) {
  va_list arguments;
  va_start(arguments, option);
  void* const value = va_arg(arguments, void*);
  va_end(arguments);
  return Curl()->easy_setopt(easy, option, value);
}
CURLcode curl_easy_getinfo(CURL* easy, CURLINFO info, ...) {
  va_list arguments;
  va_start(arguments, info);
  void* const value = va_arg(arguments, void*);
  va_end(arguments);
  return Curl()->easy_getinfo(easy, info, value);
}

void curl_easy_reset(CURL* easy) { Curl()->easy_reset(easy); }
CURLcode curl_easy_perform(CURL* easy) { return Curl()->easy_perform(easy); }
const char* curl_easy_strerror(CURLcode code) {
  return Curl() == nullptr ? "libcurl is missing" : Curl()->easy_strerror(code);
}
CURLMcode curl_multi_add_handle(CURLM* multi, CURL* easy) {
  return Curl()->multi_add_handle(multi, easy);
}
CURLMcode curl_multi_remove_handle(CURLM* multi, CURL* easy) {
  return Curl()->multi_remove_handle(multi, easy);
}
CURLMcode curl_multi_perform(CURLM* multi, int* running) {
  return Curl()->multi_perform(multi, running);
}
CURLMcode curl_multi_poll(CURLM* multi, curl_waitfd* extra, unsigned extra_count, int timeout_ms,
                          int* ready) {
  return Curl()->multi_poll(multi, extra, extra_count, timeout_ms, ready);
}
CURLMcode curl_multi_wakeup(CURLM* multi) { return Curl()->multi_wakeup(multi); }
CURLMsg* curl_multi_info_read(CURLM* multi, int* left) {
  return Curl()->multi_info_read(multi, left);
}

}  // extern "C"
