#include "services/twin-svc/dmi/device_catalog.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <openssl/sha.h>
#include <zlib.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/check.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"
#include "services/twin-svc/dmi/dmi_device.h"

namespace skerry::twin {
namespace {

using nlohmann::json;

constexpr size_t kFingerprintBytes = 15;

Error NotHere(absl::string_view what, const std::string& name) {
  return Error(absl::StatusCode::kNotFound, absl::StrCat(what, " ", name, " is not on this box"))
      .Meta("name", name);
}

std::string Compress(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  const int result = compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                               reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), 6);
  SKERRY_CHECK(result == Z_OK);  // There is room.
  out.resize(size);
  out.shrink_to_fit();
  return out;
}

std::string Uncompress(const std::string& bytes, size_t size) {
  std::string out(size, '\0');
  uLongf written = size;
  const int result = uncompress(reinterpret_cast<Bytef*>(out.data()), &written,
                                reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  SKERRY_CHECK(result == Z_OK && written == size);  // Compress made it.
  return out;
}

template <typename Message>
std::string Fingerprint(const Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(hash.data()));
  return hash.substr(0, kFingerprintBytes);
}

}  // namespace

DeviceCatalog::DeviceCatalog() = default;
DeviceCatalog::~DeviceCatalog() = default;

absl::Status DeviceCatalog::PutDevice(const device::DeviceSpec& spec, const json& device) {
  SKERRY_ASSIGN_OR_RETURN(const v1beta1::Device own, OwnToDmi(device));
  const std::string bytes = own.SerializeAsString();
  Stored stored{
      .entry = {spec.protocol, spec.model}, .own = Compress(bytes), .own_bytes = bytes.size()};
  absl::MutexLock lock(&mutex_);
  Forget(spec.name);
  device_bytes_ += stored.own.size();
  models_[spec.model].devices.insert(spec.name);
  devices_.insert_or_assign(spec.name, std::move(stored));
  return absl::OkStatus();
}

void DeviceCatalog::Forget(const DeviceName& name) {
  const auto device = devices_.find(name);
  if (device == devices_.end()) return;
  device_bytes_ -= device->second.own.size();
  const ObjectKey key = device->second.entry.model;
  devices_.erase(device);
  StoredModel& model = models_.at(key);
  model.devices.erase(name);
  if (!model.devices.empty()) return;
  if (dropped_.erase(key) > 0 || model.json == nullptr) models_.erase(key);
}

void DeviceCatalog::DropDevice(const DeviceName& name) {
  absl::MutexLock lock(&mutex_);
  Forget(name);
}

absl::Status DeviceCatalog::PutModel(const ObjectKey& name, const json& model) {
  SKERRY_RETURN_IF_ERROR(ModelToDmi(model).status());
  auto kept =
      std::make_shared<const json>(json{{"spec", kubeapi::ObjectAt(model, {"spec"})},
                                        {"metadata", kubeapi::ObjectAt(model, {"metadata"})}});
  absl::MutexLock lock(&mutex_);
  models_[name].json = std::move(kept);
  dropped_.erase(name);
  return absl::OkStatus();
}

void DeviceCatalog::DropModel(const ObjectKey& name) {
  absl::MutexLock lock(&mutex_);
  const auto model = models_.find(name);
  if (model == models_.end() || model->second.json == nullptr) return;
  if (model->second.devices.empty()) {
    models_.erase(model);
  } else {
    dropped_.insert(name);
  }
}

std::optional<DeviceCatalog::Entry> DeviceCatalog::Find(const DeviceName& name) const {
  absl::MutexLock lock(&mutex_);
  const auto device = devices_.find(name);
  if (device == devices_.end()) return std::nullopt;
  return device->second.entry;
}

std::set<DeviceName> DeviceCatalog::DevicesOf(const ObjectKey& model) const {
  absl::MutexLock lock(&mutex_);
  const auto stored = models_.find(model);
  return stored == models_.end() ? std::set<DeviceName>() : stored->second.devices;
}

absl::StatusOr<v1beta1::Device> DeviceCatalog::Device(const DeviceName& name) const {
  std::optional<Stored> stored;
  std::shared_ptr<const json> model;
  {
    absl::MutexLock lock(&mutex_);
    const auto device = devices_.find(name);
    if (device == devices_.end())
      return NotHere("the device", name.value()).Reason("DEVICE_UNKNOWN");
    stored = device->second;
    model = models_.at(stored->entry.model).json;
  }
  if (model == nullptr) {
    return NotHere("the device model", stored->entry.model.value()).Reason("MODEL_UNKNOWN");
  }
  v1beta1::Device device;
  SKERRY_CHECK(device.ParseFromString(Uncompress(stored->own, stored->own_bytes)));
  SKERRY_RETURN_IF_ERROR(AddDefaults(*model, device));
  return device;
}

absl::StatusOr<v1beta1::DeviceModel> DeviceCatalog::Model(const ObjectKey& name) const {
  std::shared_ptr<const json> model;
  {
    absl::MutexLock lock(&mutex_);
    const auto stored = models_.find(name);
    if (stored != models_.end()) model = stored->second.json;
  }
  if (model == nullptr) return NotHere("the device model", name.value()).Reason("MODEL_UNKNOWN");
  return ModelToDmi(*model);
}

size_t DeviceCatalog::device_bytes() const {
  absl::MutexLock lock(&mutex_);
  return device_bytes_;
}

std::string FingerprintOf(const v1beta1::Device& device) { return Fingerprint(device); }
std::string FingerprintOf(const v1beta1::DeviceModel& model) { return Fingerprint(model); }

}  // namespace skerry::twin
