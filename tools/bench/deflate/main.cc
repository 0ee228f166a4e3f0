// What compression of frames saves and costs, beside bare zlib on the same serialized bytes in the
// same run: at its default level, at ours, and with another object of the kind as a dictionary.
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "services/lib/link/frame_bytes.h"
#include "services/lib/link/frames.h"

namespace {

namespace link = skerry::link;

constexpr int kLevel = 3;  // Of deflate.cc.

std::string Pod(uint32_t seed) {
  std::mt19937 rng(seed);
  std::string containers;
  std::string statuses;
  for (const char* name : {"controller", "collector", "proxy"}) {
    absl::StrAppend(
        &containers, containers.empty() ? "" : ",", R"({"name":")", name,
        R"(","image":"registry.example/plant/)", name, ":1.", rng() % 30,
        R"(","args":["--config=/etc/)", name,
        R"(/config.yaml","--log-level=info"],"env":[{"name":"NODE_NAME","valueFrom":)"
        R"({"fieldRef":{"apiVersion":"v1","fieldPath":"spec.nodeName"}}}],"resources":)"
        R"({"limits":{"cpu":"500m","memory":"128Mi"},"requests":{"cpu":"100m","memory":"64Mi"}},)"
        R"("volumeMounts":[{"name":"config","mountPath":"/etc/)",
        name, R"(","readOnly":true}],"imagePullPolicy":"IfNotPresent"})");
    absl::StrAppend(&statuses, statuses.empty() ? "" : ",", R"({"name":")", name,
                    R"(","ready":true,"restartCount":)", rng() % 5,
                    R"(,"state":{"running":{"startedAt":"2026-11-20T08:1)", rng() % 10,
                    R"(:07Z"}},"containerID":"containerd://)", absl::Hex(rng(), absl::kZeroPad8),
                    absl::Hex(rng(), absl::kZeroPad8), absl::Hex(rng(), absl::kZeroPad8),
                    absl::Hex(rng(), absl::kZeroPad8), R"("})");
  }
  return absl::StrCat(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"plant-7d9c5b8f6-x2k4q",)"
      R"("namespace":"line-1","uid":")",
      absl::Hex(rng(), absl::kZeroPad8),
      R"(-6c0f-4b7e-9d60-1c2a7b8e4f11",)"
      R"("resourceVersion":"184467","creationTimestamp":"2026-11-20T08:10:02Z","labels":)"
      R"({"app":"plant","pod-template-hash":"7d9c5b8f6"},"ownerReferences":[{"apiVersion":)"
      R"("apps/v1","kind":"ReplicaSet","name":"plant-7d9c5b8f6","controller":true}]},"spec":)"
      R"({"nodeName":"edge-1","restartPolicy":"Always","containers":[)",
      containers,
      R"(],"volumes":[{"name":"config","configMap":{"name":"plant","defaultMode":420}}],)"
      R"("tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists",)"
      R"("effect":"NoExecute"},{"key":"node.kubernetes.io/unreachable","operator":"Exists",)"
      R"("effect":"NoExecute"}]},"status":{"phase":"Running","conditions":[)"
      R"({"type":"Ready","status":"True","lastTransitionTime":"2026-11-20T08:10:09Z"},)"
      R"({"type":"PodScheduled","status":"True","lastTransitionTime":"2026-11-20T08:10:02Z"}],)"
      R"("hostIP":"192.0.2.17","podIP":"10.244.3.9","containerStatuses":[)",
      statuses, "]}}");
}

// A table of a plant: names that repeat, numbers that do not.
std::string ConfigMap(uint32_t seed) {
  std::mt19937 rng(seed);
  std::string rows;
  for (int i = 0; rows.size() < (100u << 10); ++i) {
    absl::StrAppend(&rows, "  - {register: ", 40000 + i, ", name: pump-", i / 8, "-", i % 8,
                    ", unit: bar, scale: 0.", rng() % 1000, ", offset: ", rng() % 4096, "}\\n");
  }
  return absl::StrCat(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"plant"},)",
                      R"("data":{"registers.yaml":")", rows, R"("}})");
}

// What edged-svc reports of a pod that runs.
std::string Status(uint32_t seed) {
  std::mt19937 rng(seed);
  return absl::StrCat(
      R"({"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":)"
      R"("2026-11-20T08:10:09Z"},{"type":"ContainersReady","status":"True","lastTransitionTime":)"
      R"("2026-11-20T08:10:09Z"}],"hostIP":"192.0.2.17","podIP":"10.244.3.9","startTime":)"
      R"("2026-11-20T08:10:02Z","containerStatuses":[{"name":"plant","ready":true,)"
      R"("restartCount":)",
      rng() % 5, R"(,"state":{"running":{"startedAt":"2026-11-20T08:10:07Z"}},)",
      R"("image":"registry.example/plant/controller:1.17","containerID":"containerd://)",
      absl::Hex(rng(), absl::kZeroPad8), absl::Hex(rng(), absl::kZeroPad8), R"("}]})");
}

// CPU time of one call, in microseconds.
template <typename Call>
double Time(Call call) {
  const std::clock_t begin = std::clock();
  int calls = 0;
  while (std::clock() < begin + CLOCKS_PER_SEC / 2) {
    call();
    ++calls;
  }
  return 1e6 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC / calls;
}

Bytef* Data(const std::string& bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}
uInt Size(const std::string& bytes) { return static_cast<uInt>(bytes.size()); }

std::string Bare(const std::string& bytes, int level, const std::string& dictionary = "") {
  z_stream stream = {};
  std::string out(compressBound(bytes.size()), '\0');
  if (deflateInit(&stream, level) != Z_OK) std::abort();
  if (!dictionary.empty()) deflateSetDictionary(&stream, Data(dictionary), Size(dictionary));
  stream.next_in = Data(bytes);
  stream.avail_in = Size(bytes);
  stream.next_out = Data(out);
  stream.avail_out = Size(out);
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void BareBack(const std::string& bytes, size_t size) {
  std::string out(size, '\0');
  uLongf out_size = size;
  if (uncompress(Data(out), &out_size, Data(bytes), bytes.size()) != Z_OK) std::abort();
}

template <typename Number>
void Print(const std::string& name, Number ours, Number reference, const char* unit,
           const char* reference_is) {
  std::printf("bench=%s ours=%.1f reference=%.1f unit=%s ratio=%.2f reference_is=%s\n",
              name.c_str(), static_cast<double>(ours), static_cast<double>(reference), unit,
              static_cast<double>(ours) / static_cast<double>(reference), reference_is);
}

link::CloudFrame Frame(const std::string& object) {
  return link::ResourceChange{
      "objects", 1, 1, {link::Change::Kind::kUpsert, "line-1/plant", "184467", object}};
}

std::string Plain(const std::string& object) { return link::Serialize(Frame(object)); }

// `other` is an object of the same kind.
void Measure(const std::string& name, const std::string& object, const std::string& other) {
  const link::CloudFrame frame = Frame(object);
  const std::string plain = Plain(object);
  const link::CloudFrame sent = link::Compress(link::Rank::kSync, frame);
  const auto* compressed = std::get_if<link::Compressed>(&sent);
  if (compressed == nullptr) std::abort();
  const size_t size = link::Serialize(sent).size();
  Print(name + "_size", size, plain.size(), "B", "plain_frame");
  Print(name + "_size_level", size, Bare(plain, Z_DEFAULT_COMPRESSION).size(), "B",
        "bare_zlib_at_its_default_level");
  Print(name + "_size_dictionary", size, Bare(plain, kLevel, Plain(other)).size(), "B",
        "bare_zlib_at_the_same_level_with_another_as_dictionary");
  const double compress = Time([&] { link::Compress(link::Rank::kSync, frame); });
  Print(name + "_compress", compress, Time([&] { Bare(plain, kLevel); }), "us",
        "bare_zlib_at_the_same_level");
  Print(name + "_compress_level", compress, Time([&] { Bare(plain, Z_DEFAULT_COMPRESSION); }), "us",
        "bare_zlib_at_its_default_level");
  const double uncompress = Time([&] {
    if (!link::UncompressCloudFrame(*compressed).ok()) std::abort();
  });
  Print(name + "_decompress", uncompress, Time([&] { BareBack(compressed->bytes, plain.size()); }),
        "us", "bare_zlib");
}

}  // namespace

int main() {
  Measure("deflate_status", Status(1), Status(2));
  Measure("deflate_pod", Pod(1), Pod(2));
  Measure("deflate_configmap", ConfigMap(1), ConfigMap(2));
  return 0;
}
