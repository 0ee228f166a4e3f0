// What the doctor saw of a box, as values.
#ifndef SKERRY_TOOLS_SKERRYCTL_DOCTOR_CORE_OBSERVATIONS_H_
#define SKERRY_TOOLS_SKERRYCTL_DOCTOR_CORE_OBSERVATIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace skerry::skerryctl {

// Statuses of what was tried; nullopt: it was not.
using Tried = std::optional<absl::Status>;

struct ConfigFile {
  std::string path;
  absl::Status loaded;  // As its service would load it.
};

struct IdentityFile {
  std::string path;
  absl::Status read;             // NOT_FOUND: the box has not joined.
  bool readable_by_all = false;  // The group or others can read the key.
  absl::Status parsed;           // A certificate, and the key that belongs to it.
  absl::Status chain;  // To the CA; CERTIFICATE_UNTRUSTED says that it was not issued by it.
  absl::Time not_before;
  absl::Time not_after;
  absl::Time renewal_time;  // From then on edgehub-svc renews it.
};

// A port of the hub, over TLS.
struct HubPort {
  std::string setting;  // "cloud.address".
  std::string address;
  std::string name;  // Expected in the certificate.
  // Up to the end of the handshake: reason RESOLVE_FAILED, CONNECT_FAILED, TIMED_OUT, TLS_FAILED.
  Tried reached;
  Tried chain;  // The certificate's, to our CA, by the hub's time where it told it, else by ours.
  bool name_fits = true;
  std::vector<std::string> names;  // In the certificate.
};

struct Service {
  std::string name;
  bool used = true;  // It has to run here, or has run here before.
  Tried answered;
};

struct Link {
  bool connected = false;
  std::string down_reason;
  std::vector<std::string> unsynced_types;  // That a service stores.
  int64_t journal_bytes = 0;
  int64_t journal_bytes_max = 0;
};

struct Disk {
  std::string folder;
  absl::Status seen;
  bool read_only = false;
  int64_t free_bytes = 0;
  std::optional<int64_t> free_inodes;  // Where the file system counts them.
};

// What the hub says of a join token.
struct TokenRecord {
  absl::Time create_time;
  absl::Time expire_time;
  std::string node;  // Only this node may use it; empty: any.
  bool single_use = false;
  int64_t uses = 0;
  bool revoked = false;
};

// A join token that this box was given.
struct GivenToken {
  absl::Status parsed;
  std::string id;
  std::string ca_hash;  // In the token.
  std::string node;     // That would join with it.
  // By the join port, where that was reached: OK, or that what answers there has none.
  Tried ca_served;
  std::string served_ca_hash;
  // The hub: its API, or its join port, which refuses what a join would be refused for with the
  // same reasons.
  Tried asked;
  bool asked_at_join_port = false;
  std::optional<TokenRecord> known;  // nullopt where `asked` is OK: no token of this id.
};

struct Observations {
  absl::Time now;
  std::string folder;  // Of the configuration.
  std::vector<ConfigFile> configs;
  std::optional<IdentityFile> identity;
  std::optional<GivenToken> token;
  std::vector<HubPort> hub;
  std::optional<absl::Time> hub_time;  // By the hub's own certificate.
  std::vector<Service> services;
  std::optional<Link> link;           // Where edgehub-svc answered.
  std::optional<bool> meta_attached;  // Where edge-meta-svc and edgehub-svc answered.
  std::string runtime_endpoint;
  Tried runtime_reached;
  std::optional<bool> runtime_ready;  // Where edged-svc answered.
  std::string broker;
  Tried broker_accepted;
  std::vector<Disk> disks;
};

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DOCTOR_CORE_OBSERVATIONS_H_
