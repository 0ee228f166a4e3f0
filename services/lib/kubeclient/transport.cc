#include "services/lib/kubeclient/transport.h"

#include <curl/curl.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/check.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::kubeclient {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);
constexpr size_t kTokenBytesMax = 64u << 10;

void InitOnce() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  SKERRY_CHECK(result == CURLE_OK);
}

// "https://[::1]:6443" -> "[::1]:6443"; port 443 where none is given.
std::string HostAndPort(absl::string_view server) {
  const size_t start = server.find("://");
  absl::string_view rest = start == absl::string_view::npos ? server : server.substr(start + 3);
  rest = rest.substr(0, rest.find('/'));
  const size_t colon = rest.rfind(':');
  const bool has_port =
      colon != absl::string_view::npos && rest.find(']', colon) == absl::string_view::npos;
  return absl::StrCat(rest, has_port ? "" : ":443");
}

absl::Status FromCurl(CURLcode code, const char* detail, absl::string_view server) {
  const std::string text = absl::StrCat(
      server, ": ", detail != nullptr && *detail != '\0' ? detail : curl_easy_strerror(code));
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Error(absl::StatusCode::kDeadlineExceeded, text).Reason("API_TIMEOUT");
    case CURLE_PEER_FAILED_VERIFICATION:
      return Error(
                 absl::StatusCode::kUnavailable,
                 absl::StrCat(
                     text, " (does the kubeconfig's certificate authority belong to this server?)"))
          .Reason("TLS_UNTRUSTED");
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return Error(absl::StatusCode::kUnavailable,
                   absl::StrCat(text, " (check the certificate files)"))
          .Reason("TLS_FILES");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Error(absl::StatusCode::kInvalidArgument, text).Reason("API_URL_INVALID");
    case CURLE_OUT_OF_MEMORY:
      return Error(absl::StatusCode::kResourceExhausted, text).Reason("OUT_OF_MEMORY");
    default:
      return Error(absl::StatusCode::kUnavailable, text).Reason("API_UNREACHABLE");
  }
}

// One request as curl's callbacks see it.
struct Exchange {
  const HttpRequest* request;
  CURL* easy;
  size_t bytes_max;
  HttpAnswer answer;
  absl::Status failure;
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const absl::string_view chunk(data, size * count);
  long status = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.request->on_chunk && status >= 200 && status < 300) {
    exchange.failure = exchange.request->on_chunk(chunk);
    return exchange.failure.ok() ? chunk.size() : 0;
  }
  if (exchange.answer.body.size() + chunk.size() > exchange.bytes_max) {
    exchange.failure =
        Error(absl::StatusCode::kResourceExhausted,
              absl::StrCat("the answer is larger than ", exchange.bytes_max, " bytes"))
            .Reason("ANSWER_TOO_LARGE");
    return 0;
  }
  exchange.answer.body.append(chunk.data(), chunk.size());
  return chunk.size();
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const absl::string_view line(data, size * count);
  const size_t colon = line.find(':');
  if (colon != absl::string_view::npos &&
      absl::EqualsIgnoreCase(line.substr(0, colon), "retry-after")) {
    int64_t seconds = 0;
    if (absl::SimpleAtoi(absl::StripAsciiWhitespace(line.substr(colon + 1)), &seconds) &&
        seconds >= 0) {
      exchange.answer.retry_after = absl::Seconds(seconds);
    }
  }
  return line.size();
}

// NOLINTNEXTLINE(google-runtime-int): curl's type
long Milliseconds(absl::Duration duration) {
  return static_cast<long>(absl::ToInt64Milliseconds(duration));
}

// `pem` outlives the request.
void SetPem(CURL* easy, const std::string& pem, CURLoption option) {
  if (pem.empty()) return;
  curl_blob blob{
      .data = const_cast<char*>(pem.data()), .len = pem.size(), .flags = CURL_BLOB_NOCOPY};
  curl_easy_setopt(easy, option, &blob);
}

absl::StatusOr<std::string> BearerToken(const RestConfig& config) {
  if (config.token_file.empty()) return config.token;
  std::ifstream in(config.token_file, std::ios::binary);
  std::string token((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in || token.size() > kTokenBytesMax) {
    return Error(absl::StatusCode::kUnauthenticated,
                 absl::StrCat("cannot read token file ", config.token_file))
        .Reason("TOKEN_FILE_UNREADABLE");
  }
  return std::string(absl::StripAsciiWhitespace(token));
}

class CurlList {
 public:
  ~CurlList() { curl_slist_free_all(list_); }
  void Add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

}  // namespace

// A connection with the machinery to wait for it and for a stop request at the same time.
class Transport::Handle {
 public:
  explicit Handle(std::shared_ptr<const RestConfig> config)
      : config_(std::move(config)), easy_(curl_easy_init()), multi_(curl_multi_init()) {
    SKERRY_CHECK(easy_ != nullptr && multi_ != nullptr);
  }
  ~Handle() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }
  const std::shared_ptr<const RestConfig>& config() const { return config_; }
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
  const std::shared_ptr<const RestConfig> config_;  // Whom its connection proved us to be.
  CURL* easy_;
  CURLM* multi_;
};

Transport::Transport(std::unique_ptr<ConfigSource> config, Options options)
    : config_(std::move(config)), options_(std::move(options)) {
  InitOnce();
}

Transport::~Transport() = default;

std::unique_ptr<Transport::Handle> Transport::Take(std::shared_ptr<const RestConfig> config) {
  std::vector<std::unique_ptr<Handle>> stale;  // Closed after the lock is released.
  absl::MutexLock lock(&mutex_);
  while (!idle_.empty()) {
    std::unique_ptr<Handle> handle = std::move(idle_.back());
    idle_.pop_back();
    if (handle->config() == config) return handle;
    stale.push_back(std::move(handle));
  }
  return std::make_unique<Handle>(std::move(config));
}

void Transport::Return(std::unique_ptr<Handle> handle) {
  absl::MutexLock lock(&mutex_);
  if (idle_.size() < options_.idle_connections_max) idle_.push_back(std::move(handle));
}

void Transport::SetConnection(Handle& handle, const HttpRequest& request) const {
  CURL* easy = handle.easy();
  const absl::Duration connect = std::min(request.timeout, kConnectTimeout);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Milliseconds(request.timeout));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(connect));
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE,
                   1L);  // A watch is silent for long: notice a dead peer.
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);

  const RestConfig& config = *handle.config();
  if (config.insecure_skip_tls_verify) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  SetPem(easy, config.ca_pem, CURLOPT_CAINFO_BLOB);
  SetPem(easy, config.cert_pem, CURLOPT_SSLCERT_BLOB);
  SetPem(easy, config.key_pem, CURLOPT_SSLKEY_BLOB);
}

absl::StatusOr<HttpAnswer> Transport::Perform(const HttpRequest& request) {
  if (request.stop.stop_requested()) return absl::CancelledError("stopping");
  const std::shared_ptr<const RestConfig> config = config_->Current();
  SKERRY_ASSIGN_OR_RETURN(std::string token, BearerToken(*config));
  std::unique_ptr<Handle> handle = Take(config);
  CURL* easy = handle->easy();
  curl_easy_reset(easy);
  SetConnection(*handle, request);

  std::string url = absl::StrCat(config->server, request.target);
  CurlList connect_to;
  if (!config->tls_server_name.empty()) {  // Curl takes the name to verify from the URL only.
    url = absl::StrCat("https://", config->tls_server_name, request.target);
    connect_to.Add(absl::StrCat("::", HostAndPort(config->server)));
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to.get());
  }
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());

  CurlList headers;
  headers.Add("Accept: application/json");
  headers.Add("Expect:");  // No round trip before large bodies.
  if (!token.empty()) headers.Add(absl::StrCat("Authorization: Bearer ", token));
  if (!request.content_type.empty())
    headers.Add(absl::StrCat("Content-Type: ", request.content_type));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  if (request.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  Exchange exchange{.request = &request, .easy = easy, .bytes_max = options_.answer_bytes_max};
  char detail[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);

  const CURLcode code = handle->Run(request.stop);
  long status = 0;  // NOLINT(google-runtime-int): curl's type
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  exchange.answer.status = static_cast<int>(status);
  if (code == CURLE_OK) {
    Return(std::move(handle));
    return std::move(exchange.answer);
  }
  if (request.stop.stop_requested()) return absl::CancelledError("stopping");
  if (!exchange.failure.ok()) return exchange.failure;
  return FromCurl(code, detail, config->server);
}

}  // namespace skerry::kubeclient
