#include "services/lib/http/testing/curl_client.h"

#include <curl/curl.h>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace skerry::testing {
namespace {

size_t AppendBody(char* data, size_t size, size_t count, void* to) {
  static_cast<std::string*>(to)->append(data, size * count);
  return size * count;
}

size_t AddHeader(char* data, size_t size, size_t count, void* to) {
  const absl::string_view line(data, size * count);
  const size_t colon = line.find(':');
  if (colon != absl::string_view::npos) {
    (*static_cast<std::map<std::string, std::string>*>(
        to))[absl::AsciiStrToLower(line.substr(0, colon))] =
        std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return size * count;
}

}  // namespace

CurlClient::CurlClient() : curl_(curl_easy_init()) {}

CurlClient::~CurlClient() { curl_easy_cleanup(curl_); }

CurlAnswer CurlClient::Do(const CurlRequest& request) {
  CurlAnswer answer;
  curl_easy_reset(curl_);
  curl_easy_setopt(curl_, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, AppendBody);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, AddHeader);
  curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &answer.headers);
  if (request.method == "HEAD") {
    curl_easy_setopt(curl_, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE,
                     static_cast<long>(request.body.size()));  // NOLINT
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  curl_slist* headers = nullptr;
  for (const std::string& header : request.headers)
    headers = curl_slist_append(headers, header.c_str());
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
  if (!request.ca_file.empty()) curl_easy_setopt(curl_, CURLOPT_CAINFO, request.ca_file.c_str());
  if (!request.cert_file.empty()) {
    curl_easy_setopt(curl_, CURLOPT_SSLCERT, request.cert_file.c_str());
    curl_easy_setopt(curl_, CURLOPT_SSLKEY, request.key_file.c_str());
  }
  const CURLcode code = curl_easy_perform(curl_);
  if (code != CURLE_OK) answer.error = curl_easy_strerror(code);
  long value = 0;  // NOLINT(google-runtime-int): curl's type
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &value);
  answer.status = static_cast<int>(value);
  curl_easy_getinfo(curl_, CURLINFO_NUM_CONNECTS, &value);
  connections_ += static_cast<int>(value);
  curl_slist_free_all(headers);
  return answer;
}

CurlAnswer Fetch(const CurlRequest& request) { return CurlClient().Do(request); }

}  // namespace skerry::testing
