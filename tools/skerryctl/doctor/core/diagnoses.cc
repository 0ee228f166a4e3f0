#include "tools/skerryctl/doctor/core/findings.h"

namespace skerry::skerryctl {

const std::vector<absl::string_view>& Checks() {
  static const auto& checks = *new std::vector<absl::string_view>{
      "config",   "certificate", "clock",   "hub",    "token", "token-age",
      "services", "link",        "runtime", "broker", "disk"};
  return checks;
}

const std::vector<Diagnosis>& Diagnoses() {
  constexpr Severity kError = Severity::kError;
  constexpr Severity kWarning = Severity::kWarning;
  static const auto& all = *new std::vector<Diagnosis>{
      {"NOT_JOINED", "config", kError, "this box is no node of a hub yet",
       "skerryctl join, or name the folder of its configuration: --dir"},
      {"CONFIG_INVALID", "config", kError, "a service can't load its configuration",
       "mend the setting that is named; skerryctl join --force writes all files anew"},
      {"CERTIFICATE_UNREADABLE", "certificate", kError,
       "the file of the node's certificate and key can't be read",
       "run as root; else give the file back to the user that runs edgehub-svc, mode 0600"},
      {"CERTIFICATE_INVALID", "certificate", kError,
       "the file holds no certificate with its own key",
       "join again with a token made for this node: skerryctl token create --node <name>"},
      {"CERTIFICATE_UNTRUSTED", "certificate", kError,
       "the node's certificate was not issued by the CA of its configuration",
       "put back the ca.crt of this hub, or join again with a token made for this node"},
      {"CERTIFICATE_NOT_YET_VALID", "certificate", kError,
       "the certificate begins later: it was issued while a clock was wrong",
       "check the hub's clock, then join again with a token made for this node"},
      {"CERTIFICATE_EXPIRED", "certificate", kError,
       "the certificate was not renewed: edgehub-svc did not run, or did not reach the join port",
       "start edgehub-svc, which renews what ended lately; else join again with a token made for "
       "this node: skerryctl token create --node <name>"},
      {"CERTIFICATE_NOT_RENEWED", "certificate", kWarning,
       "the certificate is past the time of its renewal",
       "edgehub-svc needs the hub's join port (cloud.join_address); its log says what is in the "
       "way"},
      {"KEY_EXPOSED", "certificate", kError,
       "the node's private key can be read by others than its owner",
       "chmod 0600 the file; if others have used this box, join again, which makes a new key"},
      {"CLOCK_SKEW", "clock", kError, "the clock of this box or of the hub is wrong",
       "set this box's clock (timedatectl set-ntp true), or the hub's if it is that one"},
      {"HUB_NAME_UNRESOLVED", "hub", kError, "DNS has no address for the hub's name",
       "getent hosts <name>: mend this box's DNS, or the name in edgehub.yaml or --cloud"},
      {"HUB_UNREACHABLE", "hub", kError, "no port of the hub takes a connection",
       "is the hub running, has this box a route to it, and does a firewall let the ports "
       "through?"},
      {"LINK_PORT_UNREACHABLE", "hub", kError, "the hub's link port alone takes no connection",
       "let cloud.address of edgehub.yaml through firewalls; is it the hub's link port (10000)?"},
      {"JOIN_PORT_UNREACHABLE", "hub", kError,
       "the hub's join port alone takes no connection, so the certificate can't be renewed",
       "let cloud.join_address of edgehub.yaml through firewalls; is it the join port (10002)?"},
      {"HUB_TLS_FAILED", "hub", kError, "what answers at the hub's address does not speak TLS",
       "check the port in edgehub.yaml or --cloud, and that no proxy is in between"},
      {"HUB_UNTRUSTED", "hub", kError,
       "the hub's certificate was not issued by our CA: another hub, or someone in between",
       "check cloud.address; where the hub was set up anew, join again"},
      {"HUB_CERTIFICATE_EXPIRED", "hub", kError, "the hub's certificate is not valid now",
       "on the hub: its log says why it did not renew its own certificate"},
      {"HUB_NAME_MISMATCH", "hub", kError, "the hub's certificate lacks the name that we dial",
       "add the name to tls.sans of cloudhub-svc, or dial one of those it has"},
      {"TOKEN_MALFORMED", "token", kError, "the join token is none, or not the whole of one",
       "copy the whole token: skerryctl token create prints it"},
      {"CA_UNAVAILABLE", "token", kError, "what answers at the hub's address serves no CA",
       "give --cloud the hub's join port: https://host:10002"},
      {"CA_HASH_MISMATCH", "token", kError,
       "this is not the hub that made the token, or someone is in between",
       "check --cloud, or create a token on this very hub"},
      {"HUB_API_FAILED", "token-age", kError,
       "the hub's API did not say what it knows of the token",
       "--hub is the hub's api.listen (10005), which wants an operator's certificate: --ca, "
       "--cert, --key; or skerryctl token list on the hub"},
      {"JOIN_PORT_FAILED", "token-age", kError,
       "the hub's join port did not say what it knows of the token",
       "on the hub: the log of cloudhub-svc says why; skerryctl token list there shows the token"},
      {"RATE_LIMITED", "token-age", kError,
       "the hub has refused too many tokens from this address, and takes none from it for now",
       "wait a minute, then try again; are other boxes behind this address trying to join?"},
      {"TOKEN_UNKNOWN", "token-age", kError,
       "the hub has no such token: another hub made it, it is not the whole of it as it was made, "
       "or it ended more than 30 days ago",
       "create a token on this hub: skerryctl token create"},
      {"TOKEN_REVOKED", "token-age", kError, "an operator revoked the token",
       "create a new token: skerryctl token create"},
      {"TOKEN_EXPIRED", "token-age", kError, "the token has ended",
       "create a new token: skerryctl token create --ttl 24h"},
      {"TOKEN_USED", "token-age", kError, "the token was for a single use",
       "create a new token for this box: skerryctl token create --single-use"},
      {"TOKEN_WRONG_NODE", "token-age", kError, "the token was made for another node",
       "join with the name that it was made for (--node-name), or create a token for this one"},
      {"TOKEN_EXPIRING", "token-age", kWarning,
       "the token ends soon: in less than an hour, and less than a quarter of its life",
       "join now, or create a new token: skerryctl token create --ttl 24h"},
      {"SERVICE_DOWN", "services", kError, "a service does not run, or does not answer",
       "start it; its log says why it ended"},
      {"LINK_DOWN", "link", kError, "edgehub-svc has no session, though the hub can be reached",
       "NODE_DISABLED: skerryctl node enable; NODE_KEY_WRONG or NODE_CLONED: join again with "
       "--force; else the log of edgehub-svc says more"},
      {"META_DETACHED", "link", kError, "edge-meta-svc has no stream to edgehub-svc",
       "compare run_dir and edgehub.address in edge-meta.yaml with edgehub.yaml"},
      {"NOT_SYNCED", "link", kWarning, "types are not in step with the cloud",
       "it takes a moment after the link came up; else see the log of edge-controller-svc"},
      {"JOURNAL_FILLING", "link", kWarning, "most of the room for unsent reports is used",
       "bring the link up, or raise journal.bytes_max in edgehub.yaml"},
      {"RUNTIME_UNREACHABLE", "runtime", kError, "nobody serves the container runtime's socket",
       "start the runtime (systemctl start containerd, or docker), or mend runtime.endpoint in "
       "edged.yaml"},
      {"RUNTIME_NOT_READY", "runtime", kError, "the container runtime says that it is not ready",
       "often CNI: is there a configuration in /etc/cni/net.d? crictl info says more"},
      {"BROKER_UNREACHABLE", "broker", kError, "the MQTT broker takes no connection",
       "start it (systemctl start mosquitto), or mend mqtt.broker in eventbus.yaml"},
      {"BROKER_REFUSED", "broker", kError, "the MQTT broker does not let us in",
       "compare mqtt.credentials_file and mqtt.certificate_file with the broker's settings"},
      {"FOLDER_MISSING", "disk", kError, "a folder of the services can't be looked at",
       "create it, or mend state_dir in the services' configuration"},
      {"DISK_READ_ONLY", "disk", kError, "the file system is mounted read-only",
       "dmesg tells of errors of the disk; mount it anew with rw"},
      {"DISK_FULL", "disk", kError, "services can't be sure to store what they have to",
       "make room: logs, images, files that are not Skerry's"},
      {"INODES_FULL", "disk", kError, "the file system can hardly take further files",
       "remove small files that are not Skerry's; df -i"},
      {"DISK_LOW", "disk", kWarning, "there is little room left",
       "make room: logs, images, files that are not Skerry's"},
  };
  return all;
}

}  // namespace skerry::skerryctl
