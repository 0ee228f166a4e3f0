#include "tools/skerryctl/https_client.h"

#include <curl/curl.h>

#include <memory>

#include "services/lib/base/error.h"

namespace skerry::skerryctl {
namespace {

constexpr size_t kBodyBytesMax = 256 << 10;

size_t Collect(char* data, size_t size, size_t count, void* user) {
  auto* body = static_cast<std::string*>(user);
  if (body->size() + size * count > kBodyBytesMax)
    return 0;  // Makes curl fail with CURLE_WRITE_ERROR.
  body->append(data, size * count);
  return size * count;
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
    return absl::InternalError("libcurl can't be initialised");
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
  for (const std::string& header : request.headers) {
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  }
  HttpsResponse response;
  char detail[CURL_ERROR_SIZE] = {};
  auto set = [&curl](CURLoption option, auto value) {
    curl_easy_setopt(curl.get(), option, value);
  };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, "");  // The hub is where --cloud says; an environment variable must not send
                           // the token elsewhere.
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));  // NOLINT: curl's type
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(request.timeout)));  // NOLINT
  set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(absl::ToInt64Milliseconds(request.timeout)));  // NOLINT
  set(CURLOPT_ERRORBUFFER, detail);
  set(CURLOPT_WRITEFUNCTION, &Collect);
  set(CURLOPT_WRITEDATA, &response.body);
  set(CURLOPT_HTTPHEADER, headers.get());
  curl_blob ca = {const_cast<char*>(request.ca_pem.data()), request.ca_pem.size(), CURL_BLOB_COPY};
  if (request.ca_pem.empty()) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  } else {
    set(CURLOPT_CAPATH, nullptr);
    set(CURLOPT_CAINFO_BLOB, &ca);
  }
  if (!request.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.data());
  }
  CURLcode code = curl_easy_perform(curl.get());
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

}  // namespace skerry::skerryctl
