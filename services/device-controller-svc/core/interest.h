// Which node needs which devices and models.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_INTEREST_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_INTEREST_H_

#include <compare>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace skerry::devicecontroller {

inline constexpr char kDevices[] = "devices.devices.kubeedge.io";
inline constexpr char kDeviceModels[] = "devicemodels.devices.kubeedge.io";

// A node needs the devices that are bound to it and enabled, and the models that those refer to;
// nothing else (promise L7). Indexed both ways: a change costs what it touches, not how many
// devices a node has. Whether a model exists does not matter here. Keys are "namespace/name". Used
// by one thread.
class Interest {
 public:
  // A node began or ceased to need an object.
  struct Change {
    std::string node;
    std::string type;
    std::string key;
    auto operator<=>(const Change&) const = default;
  };

  // `node` is empty where it is bound to none, `model` where it refers to none.
  std::vector<Change> SetDevice(const std::string& device, const std::string& node,
                                const std::string& model);
  std::vector<Change> RemoveDevice(const std::string& device);
  // Also of a device that is not there (yet); it holds until it is said otherwise.
  std::vector<Change> SetDisabled(const std::string& device, bool disabled);

  bool Needs(const std::string& node, const std::string& type, const std::string& key) const;
  // In order.
  std::vector<std::string> NodesThatNeed(const std::string& type, const std::string& key) const;
  std::vector<std::string> KeysNeeded(const std::string& node, const std::string& type) const;
  bool IsDisabled(const std::string& device) const { return disabled_.contains(device); }
  const std::set<std::string>& disabled() const { return disabled_; }

 private:
  struct Device {
    std::string node;
    std::string model;
    bool operator==(const Device&) const = default;
  };
  struct Node {
    std::set<std::string> devices;
    std::map<std::string, size_t> models;  // How many of its devices refer to each. Never 0.
  };

  // What of a device counts: nothing where it is disabled.
  Device Effective(const std::string& device) const;
  std::vector<Change> Move(const std::string& device, const Device& from, const Device& to);
  void AcquireModel(const std::string& node, const std::string& model,
                    std::vector<Change>& changes);
  void ReleaseModel(const std::string& node, const std::string& model,
                    std::vector<Change>& changes);

  std::map<std::string, Device> devices_;
  std::set<std::string> disabled_;
  std::map<std::string, Node> nodes_;                           // Those that need something.
  std::map<std::string, std::set<std::string>> needed_models_;  // Model -> nodes that need it.
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_INTEREST_H_
