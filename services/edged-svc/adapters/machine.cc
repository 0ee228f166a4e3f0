#include "services/edged-svc/adapters/machine.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

namespace fs = std::filesystem;

std::string ReadLine(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

int64_t ReadInt(const char* path) {
  int64_t value = 0;
  return absl::SimpleAtoi(ReadLine(path), &value) ? value : 0;
}

void ReadMemory(NodeFacts& facts) {
  std::ifstream in("/proc/meminfo");
  std::string line;
  while (std::getline(in, line)) {
    const std::vector<absl::string_view> parts =
        absl::StrSplit(line, absl::ByAnyChar(": "), absl::SkipEmpty());
    int64_t kilobytes = 0;
    if (parts.size() < 2 || !absl::SimpleAtoi(parts[1], &kilobytes)) continue;
    if (parts[0] == "MemTotal") facts.memory_bytes = kilobytes * 1024;
    if (parts[0] == "MemAvailable") facts.memory_available_bytes = kilobytes * 1024;
  }
}

std::string OsImage() {
  std::ifstream in("/etc/os-release");
  std::string line;
  while (std::getline(in, line)) {
    absl::string_view value = line;
    if (!absl::ConsumePrefix(&value, "PRETTY_NAME=")) continue;
    absl::ConsumePrefix(&value, "\"");
    absl::ConsumeSuffix(&value, "\"");
    return std::string(value);
  }
  return "Linux";
}

std::string GoArchitecture(const std::string& machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine == "armv7l" || machine == "armv6l") return "arm";
  return machine;
}

int64_t RunningThreads() {
  // "0.20 0.18 0.12 1/80 11206": running/all.
  const std::vector<std::string> parts = absl::StrSplit(ReadLine("/proc/loadavg"), ' ');
  int64_t all = 0;
  if (parts.size() > 3) {
    const std::vector<std::string> counts = absl::StrSplit(parts[3], '/');
    if (counts.size() == 2 && !absl::SimpleAtoi(counts[1], &all)) all = 0;
  }
  return all;
}

std::string DefaultInterface() {
  std::ifstream in("/proc/net/route");
  std::string line;
  while (std::getline(in, line)) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, '\t');
    if (parts.size() > 2 && parts[1] == "00000000") return std::string(parts[0]);
  }
  return "";
}

absl::StatusOr<struct statvfs> StatDisk(const std::string& folder) {
  struct statvfs disk = {};
  if (statvfs(folder.c_str(), &disk) == 0) return disk;
  return absl::ErrnoToStatus(errno, absl::StrCat("statvfs ", folder));
}

DiskUsage UsageOf(const struct statvfs& disk) {
  const auto block = static_cast<int64_t>(disk.f_frsize);
  return {static_cast<int64_t>(disk.f_blocks) * block, static_cast<int64_t>(disk.f_bavail) * block};
}

}  // namespace

absl::StatusOr<DiskUsage> ReadDisk(const std::string& folder) {
  SKERRY_ASSIGN_OR_RETURN(const struct statvfs disk, StatDisk(folder));
  return UsageOf(disk);
}

NodeFacts ReadMachine(const std::string& disk_folder, const std::string& image_folder) {
  NodeFacts facts;
  struct utsname name = {};
  uname(&name);
  facts.hostname = name.nodename;
  facts.kernel = name.release;
  facts.architecture = GoArchitecture(name.machine);
  facts.os_image = OsImage();
  facts.machine_id = ReadLine("/etc/machine-id");
  facts.system_uuid = ReadLine("/sys/class/dmi/id/product_uuid");
  if (facts.system_uuid.empty()) facts.system_uuid = facts.machine_id;
  facts.boot_id = ReadLine("/proc/sys/kernel/random/boot_id");
  facts.cpus = sysconf(_SC_NPROCESSORS_ONLN);
  ReadMemory(facts);
  facts.pids_max = ReadInt("/proc/sys/kernel/pid_max");
  facts.pids = RunningThreads();
  if (const auto disk = StatDisk(disk_folder); disk.ok()) {
    const DiskUsage usage = UsageOf(*disk);
    facts.storage_bytes = usage.capacity_bytes;
    facts.storage_available_bytes = usage.available_bytes;
    facts.inodes = static_cast<int64_t>(disk->f_files);
    facts.inodes_free = static_cast<int64_t>(disk->f_favail);
  }
  if (image_folder.empty()) return facts;
  if (const auto images = ReadDisk(image_folder); images.ok()) {
    facts.image_bytes = images->capacity_bytes;
    facts.image_available_bytes = images->available_bytes;
  }
  return facts;
}

std::string FindAddress() {
  const std::string preferred = DefaultInterface();
  struct ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return "";
  const std::unique_ptr<struct ifaddrs, void (*)(struct ifaddrs*)> owner(list, freeifaddrs);
  std::string otherwise;
  for (const struct ifaddrs* a = list; a != nullptr; a = a->ifa_next) {
    if (a->ifa_addr == nullptr || a->ifa_addr->sa_family != AF_INET ||
        (a->ifa_flags & IFF_UP) == 0 || (a->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    char text[INET_ADDRSTRLEN];
    const auto* address = reinterpret_cast<const struct sockaddr_in*>(a->ifa_addr);
    if (inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text)) == nullptr) continue;
    if (preferred == a->ifa_name) return text;
    std::error_code ignored;
    const bool bridge =
        fs::exists(absl::StrCat("/sys/class/net/", a->ifa_name, "/bridge"), ignored);
    if (otherwise.empty() && !bridge) otherwise = text;
  }
  return otherwise;
}

void RemoveCgroup(const std::string& path) {
  std::error_code ignored;
  rmdir(("/sys/fs/cgroup" + path).c_str());
  for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup", ignored)) {
    if (hierarchy.is_directory(ignored)) rmdir((hierarchy.path().string() + path).c_str());
  }
}

}  // namespace skerry::edged
