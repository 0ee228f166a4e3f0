#include "services/lib/http/caller.h"

#include <curl/curl.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/http/end_to_end.h"

namespace skerry::http {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);

// One call as curl's callbacks see it.
struct Exchange {
  const CurlCaller::Options* options;
  CallAnswer answer;
  size_t header_bytes = 0;
  bool head_read = false;  // What comes now are trailers.
  bool too_large = false;
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (exchange.answer.body.size() + size * count > exchange.options->body_bytes_max) {
    exchange.too_large = true;
    return 0;  // Makes curl fail with CURLE_WRITE_ERROR.
  }
  exchange.answer.body.append(data, size * count);
  return size * count;
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const absl::string_view line = absl::StripAsciiWhitespace(absl::string_view(data, size * count));
  if (absl::StartsWith(line, "HTTP/")) {  // The final answer may follow one of 1xx.
    exchange.answer.headers.clear();
    exchange.head_read = false;
    return size * count;
  }
  if (line.empty()) exchange.head_read = true;
  if (exchange.head_read) return size * count;
  exchange.header_bytes += line.size();
  if (exchange.header_bytes > exchange.options->headers_bytes_max) {
    exchange.too_large = true;
    return 0;
  }
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos) return size * count;
  const absl::string_view name = line.substr(0, colon);
  const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
  if (IsHeaderName(name) && IsHeaderValue(value))
    exchange.answer.headers.emplace_back(std::string(name), std::string(value));
  return size * count;
}

class CurlList {
 public:
  ~CurlList() { curl_slist_free_all(list_); }
  void Add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// NOLINTNEXTLINE(google-runtime-int): curl's type
long Milliseconds(absl::Duration duration) {
  return static_cast<long>(std::max<int64_t>(1, absl::ToInt64Milliseconds(duration)));  // 0: never.
}

absl::Status FromCurl(CURLcode code, const char* detail) {
  const std::string text = detail[0] != '\0' ? detail : curl_easy_strerror(code);
  const auto unavailable = [&text](absl::string_view reason) -> absl::Status {
    return Error(absl::StatusCode::kUnavailable, text).Reason(reason);
  };
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Error(absl::StatusCode::kDeadlineExceeded, text).Reason("HTTP_TIMEOUT");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return unavailable("HTTP_UNREACHABLE");
    case CURLE_PEER_FAILED_VERIFICATION:
      return unavailable("HTTP_TLS_UNTRUSTED");
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return unavailable("HTTP_TLS_FAILED");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Error(absl::StatusCode::kInvalidArgument, text).Reason("HTTP_CALL_INVALID");
    default:
      return unavailable("HTTP_BROKEN");
  }
}

// A header that could be read as two, or as the end of all.
absl::Status CheckHeaders(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!IsHeaderName(name) || !IsHeaderValue(value)) {
      return InvalidField("headers", absl::string_view(name).substr(0, 128),
                          "use a token as the name and no control characters in the value")
          .Reason("HTTP_CALL_INVALID");
    }
  }
  return absl::OkStatus();
}

}  // namespace

// A connection with the machinery to wait for it and for a stop request at the same time.
class CurlCaller::Handle {
 public:
  Handle() : easy_(curl_easy_init()), multi_(curl_multi_init()) {}
  ~Handle() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }
  bool usable() const { return easy_ != nullptr && multi_ != nullptr; }
  CURL* easy() { return easy_; }

  CURLcode Run(const std::stop_token& stop) {
    std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_); });
    curl_multi_add_handle(multi_, easy_);
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    int running = 1;
    while (running > 0 && !stop.stop_requested()) {
      if (curl_multi_perform(multi_, &running) != CURLM_OK) break;
      if (running > 0) curl_multi_poll(multi_, nullptr, 0, 10'000, nullptr);
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) result = message->data.result;
    }
    curl_multi_remove_handle(multi_, easy_);
    return result;
  }

 private:
  CURL* easy_;
  CURLM* multi_;
};

CurlCaller::CurlCaller(Options options) : options_(std::move(options)) {}

CurlCaller::~CurlCaller() = default;

absl::StatusOr<std::unique_ptr<CurlCaller::Handle>> CurlCaller::Take() {
  {
    absl::MutexLock lock(&mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Handle> handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto handle = initialised == CURLE_OK ? std::make_unique<Handle>() : nullptr;
  if (handle != nullptr && handle->usable()) return handle;
  return Error(absl::StatusCode::kUnavailable, "libcurl.so.4 can't be loaded: install libcurl4")
      .Reason("HTTP_UNREACHABLE");
}

void CurlCaller::Return(std::unique_ptr<Handle> handle) {
  absl::MutexLock lock(&mutex_);
  if (idle_.size() < options_.idle_connections_max) idle_.push_back(std::move(handle));
}

absl::StatusOr<CallAnswer> CurlCaller::Perform(const Call& call) {
  if (call.stop.stop_requested()) return absl::CancelledError("stopping");
  if (absl::Status valid = CheckHeaders(call.headers); !valid.ok()) return valid;
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<Handle> handle, Take());
  CURL* easy = handle->easy();
  curl_easy_reset(easy);
  const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_URL, call.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_PROXY, "");  // An environment variable must not send it elsewhere.
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));  // NOLINT: curl's type
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // A resolver that hangs does not outlast the timeout.
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));  // NOLINT: curl's type
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));  // NOLINT: curl's type
  set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  set(CURLOPT_TIMEOUT_MS, Milliseconds(call.timeout));
  set(CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(std::min(call.timeout, kConnectTimeout)));
  if (!options_.ca_file.empty()) {
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    set(CURLOPT_CAINFO, options_.ca_file.c_str());
  }
  if (options_.idle_connections_max == 0) set(CURLOPT_FORBID_REUSE, 1L);

  CurlList headers;
  headers.Add("Expect:");  // No round trip before large bodies.
  bool has_type = false;
  for (const auto& [name, value] : EndToEnd(call.headers)) {
    headers.Add(value.empty() ? absl::StrCat(name, ";") : absl::StrCat(name, ": ", value));
    has_type = has_type || absl::EqualsIgnoreCase(name, "content-type");
  }
  if (!has_type) headers.Add("Content-Type:");  // None, rather than curl's.
  set(CURLOPT_HTTPHEADER, headers.get());
  const bool takes_body = call.method == "POST" || call.method == "PUT" || call.method == "PATCH";
  if (call.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (takes_body || !call.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    set(CURLOPT_POSTFIELDS, call.body.data());
    set(CURLOPT_CUSTOMREQUEST, call.method.c_str());
  } else {
    set(CURLOPT_CUSTOMREQUEST, call.method.c_str());
  }

  Exchange exchange{.options = &options_};
  char detail[CURL_ERROR_SIZE] = {};
  set(CURLOPT_ERRORBUFFER, detail);
  set(CURLOPT_WRITEFUNCTION, &OnBody);
  set(CURLOPT_WRITEDATA, &exchange);
  set(CURLOPT_HEADERFUNCTION, &OnHeader);
  set(CURLOPT_HEADERDATA, &exchange);

  const CURLcode code = handle->Run(call.stop);
  long status = 0;  // NOLINT(google-runtime-int): curl's type
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  if (code == CURLE_OK) {
    Return(std::move(handle));
    exchange.answer.status = static_cast<int>(status);
    exchange.answer.headers = EndToEnd(exchange.answer.headers);
    return std::move(exchange.answer);
  }
  if (call.stop.stop_requested()) return absl::CancelledError("stopping");
  if (exchange.too_large) {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("the answer (status ", status, ") has more than ",
                              options_.body_bytes_max, " bytes, or more than ",
                              options_.headers_bytes_max, " of headers"))
        .Reason("HTTP_ANSWER_TOO_LARGE");
  }
  return FromCurl(code, detail);
}

}  // namespace skerry::http
