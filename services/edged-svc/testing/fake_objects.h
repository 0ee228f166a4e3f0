// ConfigMaps and Secrets that a test lays out.
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_OBJECTS_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_OBJECTS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/object_source.h"

namespace skerry::edged {

// By "namespace/name". One thread.
class FakeObjects final : public ObjectSource {
 public:
  std::map<std::string, KeyedData> config_maps, secrets;

  std::shared_ptr<const KeyedData> ConfigMap(absl::string_view name_space,
                                             absl::string_view name) const override {
    return Find(config_maps, name_space, name);
  }
  std::shared_ptr<const KeyedData> Secret(absl::string_view name_space,
                                          absl::string_view name) const override {
    return Find(secrets, name_space, name);
  }

 private:
  static std::shared_ptr<const KeyedData> Find(const std::map<std::string, KeyedData>& objects,
                                               absl::string_view name_space,
                                               absl::string_view name) {
    const auto it = objects.find(absl::StrCat(name_space, "/", name));
    return it == objects.end() ? nullptr : std::make_shared<const KeyedData>(it->second);
  }
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_FAKE_OBJECTS_H_
