// One declared setting: how its text is read, checked and shown.
#ifndef SKERRY_SERVICES_LIB_CONFIG_SETTING_H_
#define SKERRY_SERVICES_LIB_CONFIG_SETTING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/config/config.h"

namespace skerry::config {

// "link_heartbeat_interval" of "link.heartbeat_interval".
std::string Underscored(absl::string_view name);

// Bound to a field that outlives it. Problems are appended as "source: 'name' has value 'x': fix".
class SettingBase : public Schema::Setting {
 public:
  SettingBase(absl::string_view name, absl::string_view help);

  const std::string& name() const { return name_; }                // "link.heartbeat_interval"
  const std::string& underscored() const { return underscored_; }  // "link_heartbeat_interval"
  const std::string& help() const { return help_; }
  bool is_secret() const { return secret_; }
  virtual bool is_bool() const { return false; }
  virtual bool is_list() const { return false; }

  // The field as text, as Set reads it.
  virtual std::string Text() const = 0;
  // `values` is one value, or, if is_list, the items of a list.
  void Set(const std::vector<std::string>& values, bool is_list, absl::string_view source,
           std::vector<std::string>& problems);
  // The declared checks. `how` tells where a value can be given.
  void Validate(absl::string_view how, std::vector<std::string>& problems) const;

  Setting& Required() override;
  Setting& OneOf(std::vector<std::string> values) override;
  Setting& Min(double value) override;
  Setting& Max(double value) override;
  Setting& Min(absl::Duration value) override;
  Setting& Max(absl::Duration value) override;
  Setting& Secret() override;

 protected:
  // Sets the field; what a good value looks like where `values` is not one, else empty.
  virtual std::string Parse(const std::vector<std::string>& values, bool is_list) = 0;
  virtual bool IsEmpty() const = 0;
  // How the field violates the bounds, else empty.
  virtual std::string OutOfBounds() const { return ""; }

  std::unique_ptr<double> min_, max_;
  std::unique_ptr<absl::Duration> duration_min_, duration_max_;

 private:
  std::string Shown() const;

  const std::string name_;
  const std::string underscored_;
  const std::string help_;
  std::string source_ = "default";
  std::vector<std::string> one_of_;
  bool required_ = false;
  bool secret_ = false;
};

std::unique_ptr<SettingBase> NewSetting(absl::string_view name, std::string* field,
                                        absl::string_view help);
std::unique_ptr<SettingBase> NewSetting(absl::string_view name, bool* field,
                                        absl::string_view help);
std::unique_ptr<SettingBase> NewSetting(absl::string_view name, int64_t* field,
                                        absl::string_view help);
std::unique_ptr<SettingBase> NewSetting(absl::string_view name, double* field,
                                        absl::string_view help);
std::unique_ptr<SettingBase> NewSetting(absl::string_view name, absl::Duration* field,
                                        absl::string_view help);
std::unique_ptr<SettingBase> NewSetting(absl::string_view name, std::vector<std::string>* field,
                                        absl::string_view help);
std::unique_ptr<SettingBase> NewBytesSetting(absl::string_view name, int64_t* field,
                                             absl::string_view help);

// The one of `known` that `given` most likely meant; empty where none is near.
std::string Nearest(absl::string_view given, const std::vector<std::string>& known);

}  // namespace skerry::config

#endif  // SKERRY_SERVICES_LIB_CONFIG_SETTING_H_
