// Devices from outside, by gRPC with a client certificate or a token. ../README.md says how to
// run it.
//
//   devices health
//   devices list PARENT
//   devices watch PARENT SECONDS
//   devices get DEVICE
//   devices set DEVICE PROPERTY VALUE [ETAG]
//   devices call DEVICE METHOD [NAME=VALUE...]
//
// SKERRY_DEVICE_CONTROLLER is host:port, SKERRY_CA, SKERRY_CERT and SKERRY_KEY are PEM files;
// SKERRY_TOKEN_FILE, where it is set, has a bearer token, which is sent instead of certificate and
// key. Exits 1 where a call failed, 2 where the arguments are wrong.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "examples/grpc/cpp/calls.h"

namespace skerry::examples {
namespace {

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw UsageError(std::string(name) + " is not set: see .skerry/env");
  return value;
}

std::string Content(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) throw UsageError(path + " can't be read, or is empty");
  return text.str();
}

// The service shows a certificate, which must be of this CA and name the host that is dialled. We
// show one, too: who we are (CN) and what we may do (O); or a token, which the service asks its
// Kubernetes API about at every call.
Channel Connect() {
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = Content(Variable("SKERRY_CA"));
  const std::string address = Variable("SKERRY_DEVICE_CONTROLLER");
  if (const char* file = std::getenv("SKERRY_TOKEN_FILE"); file != nullptr) {
    std::string token = Content(file);
    token.erase(token.find_last_not_of(" \r\n") + 1);
    return grpc::CreateChannel(
        address, grpc::CompositeChannelCredentials(grpc::SslCredentials(tls),
                                                   grpc::AccessTokenCredentials(token)));
  }
  tls.pem_cert_chain = Content(Variable("SKERRY_CERT"));
  tls.pem_private_key = Content(Variable("SKERRY_KEY"));
  return grpc::CreateChannel(address, grpc::SslCredentials(tls));
}

std::chrono::seconds Seconds(const std::string& text) {
  char* end = nullptr;
  const long seconds = std::strtol(text.c_str(), &end, 10);
  if (end == text.c_str() || *end != '\0' || seconds < 1 || seconds > 86400) {
    throw UsageError("SECONDS \"" + text + "\" should be a number from 1 to 86400");
  }
  return std::chrono::seconds(seconds);
}

grpc::Status Run(const std::vector<std::string>& words) {
  const std::string verb = words.empty() ? "" : words[0];
  const size_t count = words.size();
  if (verb == "health" && count == 1) return Health(Connect());
  if (verb == "list" && count == 2) return List(Connect(), words[1]);
  if (verb == "watch" && count == 3) return Watch(Connect(), words[1], Seconds(words[2]));
  if (verb == "get" && count == 2) return Get(Connect(), words[1]);
  if (verb == "set" && (count == 4 || count == 5)) {
    return Set(Connect(), words[1], words[2], words[3], count == 5 ? words[4] : "");
  }
  if (verb == "call" && count >= 3) {
    for (size_t i = 3; i < count; ++i) {
      if (words[i].find('=') == std::string::npos) {
        throw UsageError("argument \"" + words[i] + "\" should be name=value");
      }
    }
    return Call(Connect(), words[1], words[2], {words.begin() + 3, words.end()});
  }
  throw UsageError(
      "usage: devices health | list | watch | get | set | call; see the head of main.cc");
}

}  // namespace
}  // namespace skerry::examples

int main(int argc, char** argv) {
  try {
    const grpc::Status status = skerry::examples::Run({argv + 1, argv + argc});
    if (status.ok()) return 0;
    skerry::examples::PrintError(status);
    return 1;
  } catch (const skerry::examples::UsageError& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
