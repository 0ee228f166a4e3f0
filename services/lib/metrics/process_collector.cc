#include "services/lib/metrics/process_collector.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace skerry::metrics {
namespace {

void Append(std::vector<prometheus::MetricFamily>& families, const char* name, const char* help,
            prometheus::MetricType type, double value) {
  prometheus::ClientMetric metric;
  metric.counter.value = value;  // The serializer reads the one of its type.
  metric.gauge.value = value;
  families.push_back({name, help, type, {metric}});
}

std::string ReadProc(const char* path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// The fields of /proc/self/stat from the third ("state") on; the second may hold spaces.
std::vector<std::string> StatFields() {
  const std::string stat = ReadProc("/proc/self/stat");
  const size_t end = stat.rfind(')');
  if (end == std::string::npos || end + 2 > stat.size()) return {};
  return absl::StrSplit(stat.substr(end + 2), ' ');
}

double BootTimeSeconds() {
  double value = 0;
  for (absl::string_view line : absl::StrSplit(ReadProc("/proc/stat"), '\n')) {
    if (line.substr(0, 6) == "btime " && absl::SimpleAtod(line.substr(6), &value)) return value;
  }
  return 0;
}

int OpenFds() {
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return -1;
  int count = -3;  // ".", ".." and the folder itself.
  while (readdir(dir) != nullptr) ++count;
  closedir(dir);
  return count;
}

}  // namespace

std::vector<prometheus::MetricFamily> CollectProcess() {
  using prometheus::MetricType;
  std::vector<prometheus::MetricFamily> families;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const std::vector<std::string> stat = StatFields();
  // Field n of proc(5) is stat[n - 3].
  auto number = [&stat](size_t field, double& value) {
    return stat.size() > field - 3 && absl::SimpleAtod(stat[field - 3], &value);
  };
  double user = 0, system = 0, threads = 0, start = 0, pages = 0;
  if (number(14, user) && number(15, system)) {
    Append(families, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds",
           MetricType::Counter, (user + system) / ticks);
  }
  if (number(20, threads)) {
    Append(families, "process_threads", "Number of threads", MetricType::Gauge, threads);
  }
  const double boot = BootTimeSeconds();
  if (number(22, start) && boot > 0) {
    Append(families, "process_start_time_seconds",
           "Start time of the process since the unix epoch in seconds", MetricType::Gauge,
           boot + start / ticks);
  }
  if (number(24, pages)) {
    Append(families, "process_resident_memory_bytes", "Resident memory size in bytes",
           MetricType::Gauge, pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  const int fds = OpenFds();
  if (fds >= 0)
    Append(families, "process_open_fds", "Number of open file descriptors", MetricType::Gauge, fds);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    Append(families, "process_max_fds", "Maximum number of open file descriptors",
           MetricType::Gauge, static_cast<double>(limit.rlim_cur));
  }
  return families;
}

}  // namespace skerry::metrics
