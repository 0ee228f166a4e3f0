// A real HTTP client (libcurl) for tests.
#ifndef SKERRY_SERVICES_LIB_HTTP_TESTING_CURL_CLIENT_H_
#define SKERRY_SERVICES_LIB_HTTP_TESTING_CURL_CLIENT_H_

#include <map>
#include <string>
#include <vector>

namespace skerry::testing {

struct CurlRequest {
  std::string url;
  std::string method = "GET";
  std::string body;
  std::vector<std::string> headers;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
};

struct CurlAnswer {
  std::string error;  // Empty: there was an answer.
  int status = 0;
  std::string body;
  std::map<std::string, std::string> headers;  // Names in lower case.
};

// One connection, kept alive between requests. One thread at a time.
class CurlClient {
 public:
  CurlClient();
  ~CurlClient();
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;
  CurlAnswer Do(const CurlRequest& request);
  // Connections that Do has opened so far.
  int connections() const { return connections_; }

 private:
  void* curl_;
  int connections_ = 0;
};

// With a connection of its own.
CurlAnswer Fetch(const CurlRequest& request);

}  // namespace skerry::testing

#endif  // SKERRY_SERVICES_LIB_HTTP_TESTING_CURL_CLIENT_H_
