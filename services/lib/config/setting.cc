#include "services/lib/config/setting.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace skerry::config {
namespace {

std::string Cut(absl::string_view text) {
  constexpr size_t kShown = 100;
  if (text.size() <= kShown) return std::string(text);
  return absl::StrCat(text.substr(0, kShown), "…");
}

// A setting whose value is one text.
template <typename T>
class Scalar : public SettingBase {
 public:
  Scalar(absl::string_view name, T* field, absl::string_view help)
      : SettingBase(name, help), field_(field) {}

 protected:
  std::string Parse(const std::vector<std::string>& values, bool is_list) final {
    if (is_list || values.size() != 1) return "give one value, not a list";
    return ParseOne(values[0]);
  }
  bool IsEmpty() const override { return false; }
  virtual std::string ParseOne(const std::string& value) = 0;

  T* const field_;
};

class StringSetting final : public Scalar<std::string> {
 public:
  using Scalar::Scalar;
  std::string Text() const override { return *field_; }

 protected:
  bool IsEmpty() const override { return field_->empty(); }
  std::string ParseOne(const std::string& value) override {
    *field_ = value;
    return "";
  }
};

class BoolSetting final : public Scalar<bool> {
 public:
  using Scalar::Scalar;
  bool is_bool() const override { return true; }
  std::string Text() const override { return *field_ ? "true" : "false"; }

 protected:
  std::string ParseOne(const std::string& value) override {
    if (value != "true" && value != "false") return "give true or false";
    *field_ = value == "true";
    return "";
  }
};

// Shared by the numbers: the text of bounds and the check against them.
template <typename T>
class NumberSetting : public Scalar<T> {
 public:
  using Scalar<T>::Scalar;
  std::string Text() const override { return absl::StrCat(*this->field_); }

 protected:
  std::string OutOfBounds() const override {
    const auto value = static_cast<double>(*this->field_);
    if (this->min_ != nullptr && value < *this->min_)
      return absl::StrCat("give at least ", *this->min_);
    if (this->max_ != nullptr && value > *this->max_)
      return absl::StrCat("give at most ", *this->max_);
    return "";
  }
};

class IntSetting final : public NumberSetting<int64_t> {
 public:
  using NumberSetting::NumberSetting;

 protected:
  std::string ParseOne(const std::string& value) override {
    return absl::SimpleAtoi(value, field_) ? "" : "give a whole number, such as 10";
  }
};

class DoubleSetting final : public NumberSetting<double> {
 public:
  using NumberSetting::NumberSetting;

 protected:
  std::string ParseOne(const std::string& value) override {
    double number = 0;
    if (!absl::SimpleAtod(value, &number) || !std::isfinite(number))
      return "give a number, such as 0.5";
    *field_ = number;
    return "";
  }
};

struct Unit {
  absl::string_view name;
  int64_t bytes;
};
constexpr Unit kUnits[] = {{"", 1},
                           {"B", 1},
                           {"KB", 1000},
                           {"MB", 1000 * 1000},
                           {"GB", int64_t{1000} * 1000 * 1000},
                           {"TB", int64_t{1000} * 1000 * 1000 * 1000},
                           {"KiB", 1 << 10},
                           {"MiB", 1 << 20},
                           {"GiB", 1 << 30},
                           {"TiB", int64_t{1} << 40}};

class BytesSetting final : public NumberSetting<int64_t> {
 public:
  using NumberSetting::NumberSetting;

 protected:
  std::string ParseOne(const std::string& value) override {
    const auto digits =
        static_cast<size_t>(std::find_if_not(value.begin(), value.end(),
                                             [](char c) { return absl::ascii_isdigit(c); }) -
                            value.begin());
    int64_t number = 0;
    if (absl::SimpleAtoi(value.substr(0, digits), &number)) {
      for (const Unit& unit : kUnits) {
        if (absl::StripLeadingAsciiWhitespace(value.substr(digits)) != std::string(unit.name))
          continue;
        if (number > std::numeric_limits<int64_t>::max() / unit.bytes) break;
        *field_ = number * unit.bytes;
        return "";
      }
    }
    return "give a size with its unit, such as 4096, 64MiB or 1GB";
  }
};

class DurationSetting final : public Scalar<absl::Duration> {
 public:
  using Scalar::Scalar;
  std::string Text() const override { return absl::FormatDuration(*field_); }

 protected:
  std::string ParseOne(const std::string& value) override {
    absl::Duration duration;
    const bool read = absl::ParseDuration(value, &duration);
    if (!read || duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) {
      return "give a duration with its unit, such as 250ms, 15s or 1h30m";
    }
    *field_ = duration;
    return "";
  }
  std::string OutOfBounds() const override {
    if (duration_min_ != nullptr && *field_ < *duration_min_) {
      return absl::StrCat("give at least ", absl::FormatDuration(*duration_min_));
    }
    if (duration_max_ != nullptr && *field_ > *duration_max_) {
      return absl::StrCat("give at most ", absl::FormatDuration(*duration_max_));
    }
    return "";
  }
};

class ListSetting final : public SettingBase {
 public:
  ListSetting(absl::string_view name, std::vector<std::string>* field, absl::string_view help)
      : SettingBase(name, help), field_(field) {}
  bool is_list() const override { return true; }
  std::string Text() const override { return absl::StrJoin(*field_, ","); }

 protected:
  std::string Parse(const std::vector<std::string>& values, bool is_list) override {
    std::vector<std::string> items;
    for (const std::string& value : values) {
      if (is_list) {
        items.push_back(value);
      } else if (!value.empty()) {
        for (absl::string_view item : absl::StrSplit(value, ',')) {
          items.emplace_back(absl::StripAsciiWhitespace(item));
        }
      }
    }
    if (std::count(items.begin(), items.end(), "") > 0) return "give a list without empty items";
    *field_ = std::move(items);
    return "";
  }
  bool IsEmpty() const override { return field_->empty(); }

 private:
  std::vector<std::string>* const field_;
};

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Underscored(absl::string_view name) { return absl::StrReplaceAll(name, {{".", "_"}}); }

SettingBase::SettingBase(absl::string_view name, absl::string_view help)
    : name_(name), underscored_(Underscored(name)), help_(help) {}

void SettingBase::Set(const std::vector<std::string>& values, bool is_list,
                      absl::string_view source, std::vector<std::string>& problems) {
  const std::string fix = Parse(values, is_list);
  source_ = std::string(source);
  if (fix.empty()) return;
  const std::string shown = secret_ ? "***" : Cut(absl::StrJoin(values, ","));
  problems.push_back(
      absl::StrCat(source, ": '", name_, "' has invalid value '", shown, "': ", fix));
}

void SettingBase::Validate(absl::string_view how, std::vector<std::string>& problems) const {
  if (IsEmpty()) {
    if (required_) problems.push_back(absl::StrCat("'", name_, "' is required and not set: ", how));
    return;
  }
  std::string fix = OutOfBounds();
  if (!one_of_.empty() && std::count(one_of_.begin(), one_of_.end(), Text()) == 0) {
    fix = absl::StrCat("give one of ", absl::StrJoin(one_of_, ", "));
  }
  if (!fix.empty()) {
    problems.push_back(
        absl::StrCat(source_, ": '", name_, "' has invalid value '", Shown(), "': ", fix));
  }
}

std::string SettingBase::Shown() const { return secret_ ? "***" : Cut(Text()); }

Schema::Setting& SettingBase::Required() {
  required_ = true;
  return *this;
}
Schema::Setting& SettingBase::OneOf(std::vector<std::string> values) {
  one_of_ = std::move(values);
  return *this;
}
Schema::Setting& SettingBase::Min(double value) {
  min_ = std::make_unique<double>(value);
  return *this;
}
Schema::Setting& SettingBase::Max(double value) {
  max_ = std::make_unique<double>(value);
  return *this;
}
Schema::Setting& SettingBase::Min(absl::Duration value) {
  duration_min_ = std::make_unique<absl::Duration>(value);
  return *this;
}
Schema::Setting& SettingBase::Max(absl::Duration value) {
  duration_max_ = std::make_unique<absl::Duration>(value);
  return *this;
}
Schema::Setting& SettingBase::Secret() {
  secret_ = true;
  return *this;
}

std::unique_ptr<SettingBase> NewSetting(absl::string_view name, std::string* field,
                                        absl::string_view help) {
  return std::make_unique<StringSetting>(name, field, help);
}
std::unique_ptr<SettingBase> NewSetting(absl::string_view name, bool* field,
                                        absl::string_view help) {
  return std::make_unique<BoolSetting>(name, field, help);
}
std::unique_ptr<SettingBase> NewSetting(absl::string_view name, int64_t* field,
                                        absl::string_view help) {
  return std::make_unique<IntSetting>(name, field, help);
}
std::unique_ptr<SettingBase> NewSetting(absl::string_view name, double* field,
                                        absl::string_view help) {
  return std::make_unique<DoubleSetting>(name, field, help);
}
std::unique_ptr<SettingBase> NewSetting(absl::string_view name, absl::Duration* field,
                                        absl::string_view help) {
  return std::make_unique<DurationSetting>(name, field, help);
}
std::unique_ptr<SettingBase> NewSetting(absl::string_view name, std::vector<std::string>* field,
                                        absl::string_view help) {
  return std::make_unique<ListSetting>(name, field, help);
}
std::unique_ptr<SettingBase> NewBytesSetting(absl::string_view name, int64_t* field,
                                             absl::string_view help) {
  return std::make_unique<BytesSetting>(name, field, help);
}

std::string Nearest(absl::string_view given, const std::vector<std::string>& known) {
  constexpr size_t kLongest = 100;  // Nobody mistypes a name into more; the cost is quadratic.
  std::string best;
  if (given.size() > kLongest) return best;
  size_t best_distance = std::max<size_t>(2, given.size() / 4) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(given, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace skerry::config
