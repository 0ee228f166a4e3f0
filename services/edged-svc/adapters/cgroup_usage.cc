#include "services/edged-svc/adapters/cgroup_usage.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"

namespace skerry::edged {
namespace {

namespace fs = std::filesystem;

// The number that is all of the file.
std::optional<int64_t> Number(const std::string& file) {
  std::ifstream in(file);
  std::string word;
  int64_t number = 0;
  if (!(in >> word) || !absl::SimpleAtoi(word, &number)) return std::nullopt;
  return number;
}

// The number beside `key`, of lines "key number".
std::optional<int64_t> NumberOf(const std::string& file, const std::string& key) {
  std::ifstream in(file);
  std::string word, value;
  while (in >> word >> value) {
    int64_t number = 0;
    if (word == key && absl::SimpleAtoi(value, &number)) return number;
  }
  return std::nullopt;
}

std::optional<absl::Duration> CpuTime(const std::string& folder) {
  if (const auto micros = NumberOf(folder + "/cpu.stat", "usage_usec"); micros.has_value())
    return absl::Microseconds(*micros);
  if (const auto nanos = Number(folder + "/cpuacct.usage"); nanos.has_value())
    return absl::Nanoseconds(*nanos);
  return std::nullopt;
}

std::optional<int64_t> Memory(const std::string& folder) {
  std::optional<int64_t> used = Number(folder + "/memory.current");
  std::optional<int64_t> idle = NumberOf(folder + "/memory.stat", "inactive_file");
  if (!used.has_value()) {
    used = Number(folder + "/memory.usage_in_bytes");
    idle = NumberOf(folder + "/memory.stat", "total_inactive_file");
  }
  if (!used.has_value()) return std::nullopt;
  return std::max<int64_t>(0, *used - idle.value_or(0));
}

}  // namespace

std::optional<CgroupUsage> ReadCgroupUsage(const std::string& root, const std::string& path,
                                           absl::Time now) {
  // "cpu,cpuacct" is often "cpu" and "cpuacct", too, as links: whichever has the file.
  std::vector<std::string> folders = {root + path};
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    if (entry.is_directory(error)) folders.push_back(entry.path().string() + path);
  }
  std::optional<absl::Duration> cpu;
  std::optional<int64_t> memory;
  for (const std::string& folder : folders) {
    if (!fs::is_directory(folder, error)) continue;
    if (!cpu.has_value()) cpu = CpuTime(folder);
    if (!memory.has_value()) memory = Memory(folder);
  }
  if (!cpu.has_value() || !memory.has_value()) return std::nullopt;
  return CgroupUsage{*cpu, *memory, now};
}

}  // namespace skerry::edged
