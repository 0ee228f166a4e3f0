#include "services/lib/http/https_client.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"

namespace skerry::http {
namespace {

constexpr size_t kBodyBytesMax = 256 << 10;

size_t Collect(char* data, size_t size, size_t count, void* user) {
  auto* body = static_cast<std::string*>(user);
  if (body->size() + size * count > kBodyBytesMax)
    return 0;  // Makes curl fail with CURLE_WRITE_ERROR.
  body->append(data, size * count);
  return size * count;
}

// Curl asks about once a second while nothing moves.
int StopRequested(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::stop_token*>(user)->stop_requested() ? 1 : 0;
}

// "https://10.0.0.1:10002/x" with another host, and what makes curl dial the one that was given:
// it takes the name to verify from the URL only.
struct NamedUrl {
  std::string url;
  std::string connect_to;
};
NamedUrl WithServerName(const std::string& url, const std::string& name) {
  constexpr absl::string_view kScheme = "https://";
  absl::string_view rest = absl::StripPrefix(url, kScheme);
  const absl::string_view authority = rest.substr(0, rest.find('/'));
  const size_t colon = authority.rfind(':');
  const bool has_port =
      colon != absl::string_view::npos && authority.find(']', colon) == absl::string_view::npos;
  const absl::string_view port = has_port ? authority.substr(colon) : "";
  rest.remove_prefix(authority.size());
  return {.url = absl::StrCat(kScheme, name, port, rest),
          .connect_to = absl::StrCat("::", authority, has_port ? "" : ":443")};
}

curl_blob BlobOf(const std::string& text) {
  return {.data = const_cast<char*>(text.data()), .len = text.size(), .flags = CURL_BLOB_COPY};
}

// Whom to trust, and who we are.
void SetTls(CURL* curl, const HttpsRequest& request) {
  curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                   static_cast<long>(CURL_SSLVERSION_TLSv1_2));  // NOLINT: curl's type
  if (request.ca_pem.empty()) {
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  } else {
    curl_blob ca = BlobOf(request.ca_pem);
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
  }
  if (request.identity_pem.empty()) return;
  curl_blob identity = BlobOf(request.identity_pem);
  curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &identity);
  curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &identity);
}

const char* ReasonOf(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "RESOLVE_FAILED";
    case CURLE_OPERATION_TIMEDOUT:
      return "TIMED_OUT";
    case CURLE_PEER_FAILED_VERIFICATION:
      return "TLS_UNTRUSTED";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
      return "TLS_FAILED";
    case CURLE_WRITE_ERROR:
      return "ANSWER_TOO_LARGE";
    default:
      return "CONNECT_FAILED";
  }
}

}  // namespace

absl::StatusOr<HttpsResponse> CurlHttpsClient::Call(const HttpsRequest& request) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (initialised != CURLE_OK || curl == nullptr)
    return absl::InternalError("libcurl.so.4 can't be loaded: install libcurl4");
  using List = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;
  List headers(nullptr, curl_slist_free_all);
  for (const std::string& header : request.headers) {
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  }
  HttpsResponse response;
  char detail[CURL_ERROR_SIZE] = {};
  auto set = [&curl](CURLoption option, auto value) {
    curl_easy_setopt(curl.get(), option, value);
  };
  NamedUrl named = {.url = request.url};
  List connect_to(nullptr, curl_slist_free_all);
  if (!request.server_name.empty()) {
    named = WithServerName(request.url, request.server_name);
    connect_to.reset(curl_slist_append(nullptr, named.connect_to.c_str()));
    set(CURLOPT_CONNECT_TO, connect_to.get());
  }
  set(CURLOPT_URL, named.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, "");  // The URL says where; an environment variable must not send
                           // secrets elsewhere.
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(request.timeout)));  // NOLINT
  set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(absl::ToInt64Milliseconds(request.timeout)));  // NOLINT
  set(CURLOPT_ERRORBUFFER, detail);
  set(CURLOPT_WRITEFUNCTION, &Collect);
  set(CURLOPT_WRITEDATA, &response.body);
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &StopRequested);
  set(CURLOPT_XFERINFODATA, &request.stop);
  SetTls(curl.get(), request);
  if (!request.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.data());
  }
  CURLcode code = curl_easy_perform(curl.get());
  if (request.stop.stop_requested()) return absl::CancelledError("stopping");
  if (code != CURLE_OK) {
    return Error(absl::StatusCode::kUnavailable,
                 detail[0] != '\0' ? detail : curl_easy_strerror(code))
        .Reason(ReasonOf(code));
  }
  long status = 0;  // NOLINT: curl's type
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  return response;
}

}  // namespace skerry::http
