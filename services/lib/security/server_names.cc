#include "services/lib/security/server_names.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>

namespace skerry::security {
namespace {

// Empty: `text` is not an address.
std::string CanonicalAddress(const std::string& text) {
  unsigned char bytes[16];
  char out[INET6_ADDRSTRLEN] = {};
  const int family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (inet_pton(family, text.c_str(), bytes) != 1) return "";
  return inet_ntop(family, bytes, out, sizeof(out)) == nullptr ? "" : out;
}

void AddOnce(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

void AddName(CertificateSpec& spec, const std::string& name) {
  if (name.empty()) return;
  const std::string address = CanonicalAddress(name);
  if (address.empty()) {
    AddOnce(spec.dns_names, name);
  } else {
    AddOnce(spec.ip_addresses, address);
  }
}

}  // namespace

void AddServerNames(CertificateSpec& spec, const std::vector<std::string>& further) {
  for (const char* name : {"localhost", "127.0.0.1", "::1"}) AddName(spec, name);
  char host[256] = {};
  if (gethostname(host, sizeof(host) - 1) == 0) AddName(spec, host);
  for (const std::string& name : further) AddName(spec, name);
}

}  // namespace skerry::security
