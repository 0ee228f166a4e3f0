#include "services/edged-svc/core/env.h"

#include <cctype>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

absl::Status Missing(absl::string_view message) {
  return Error(absl::StatusCode::kFailedPrecondition, message)
      .Reason("CREATE_CONTAINER_CONFIG_ERROR");
}

// As the API server's check of variable names: what it refuses, envFrom skips.
bool IsEnvName(absl::string_view name) {
  if (name.empty()) return false;
  for (const unsigned char c : name) {
    if (c < 0x20 || c > 0x7e || c == '=') return false;
  }
  return true;
}

// Keeps order of first appearance; the last value counts.
class Builder {
 public:
  void Set(const std::string& name, std::string value) {
    const auto [it, added] = values_.insert_or_assign(name, std::move(value));
    if (added) order_.push_back(name);
  }
  const std::map<std::string, std::string>& values() const { return values_; }
  Environment Finish() const {
    Environment out;
    for (const std::string& name : order_) out.emplace_back(name, values_.at(name));
    return out;
  }

 private:
  std::map<std::string, std::string> values_;
  std::vector<std::string> order_;
};

absl::Status AddFrom(const PodSpec& pod, const EnvFrom& from, const ObjectSource& objects,
                     Builder& out) {
  const auto data = from.secret ? objects.Secret(pod.name_space, from.object)
                                : objects.ConfigMap(pod.name_space, from.object);
  if (data == nullptr) {
    if (from.optional) return absl::OkStatus();
    return Missing(
        absl::StrCat(from.secret ? "secret" : "configmap", " \"", from.object, "\" not found"));
  }
  for (const auto& [key, value] : data->text) {
    const std::string name = from.prefix + key;
    if (IsEnvName(name) && value.find('\0') == std::string::npos) out.Set(name, value);
  }
  return absl::OkStatus();
}

// nullopt: optional and absent, so the variable is left out.
absl::StatusOr<std::optional<std::string>> FromKey(const PodSpec& pod, const EnvVar& env,
                                                   const ObjectSource& objects) {
  const bool secret = env.source == EnvVar::Source::kSecret;
  const auto data = secret ? objects.Secret(pod.name_space, env.object)
                           : objects.ConfigMap(pod.name_space, env.object);
  if (data == nullptr) {
    if (env.optional) return std::nullopt;
    return Missing(
        absl::StrCat(secret ? "secret" : "configmap", " \"", env.object, "\" not found"));
  }
  const auto it = data->text.find(env.key);
  if (it == data->text.end()) {
    if (env.optional) return std::nullopt;
    return Missing(absl::StrCat("couldn't find key ", env.key, " in ",
                                secret ? "Secret " : "ConfigMap ", pod.name_space, "/",
                                env.object));
  }
  if (it->second.find('\0') != std::string::npos)
    return Missing(
        absl::StrCat("key ", env.key, " of ", env.object, " holds NUL: not a value of a variable"));
  return it->second;
}

}  // namespace

std::string Expand(absl::string_view text, const std::map<std::string, std::string>& values) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    const size_t end = text[i + 1] == '(' ? text.find(')', i + 2) : absl::string_view::npos;
    if (end == absl::string_view::npos) {
      out += text[i];
      continue;
    }
    const auto it = values.find(std::string(text.substr(i + 2, end - i - 2)));
    if (it == values.end()) {
      absl::StrAppend(&out, text.substr(i, end - i + 1));
    } else {
      out += it->second;
    }
    i = end;
  }
  return out;
}

std::vector<std::string> ExpandAll(const std::vector<std::string>& texts,
                                   const Environment& environment) {
  const std::map<std::string, std::string> values(environment.begin(), environment.end());
  std::vector<std::string> out;
  out.reserve(texts.size());
  for (const std::string& text : texts) out.push_back(Expand(text, values));
  return out;
}

absl::StatusOr<Environment> BuildEnvironment(const PodSpec& pod, const ContainerSpec& container,
                                             const PodPlace& place, const ObjectSource& objects,
                                             const NodeResources& node) {
  Builder out;
  for (const EnvFrom& from : container.env_from)
    SKERRY_RETURN_IF_ERROR(AddFrom(pod, from, objects, out));
  for (const EnvVar& env : container.env) {
    switch (env.source) {
      case EnvVar::Source::kValue:
        out.Set(env.name, Expand(env.value, out.values()));
        break;
      case EnvVar::Source::kConfigMap:
      case EnvVar::Source::kSecret: {
        SKERRY_ASSIGN_OR_RETURN(std::optional<std::string> value, FromKey(pod, env, objects));
        if (value.has_value()) out.Set(env.name, *std::move(value));
        break;
      }
      case EnvVar::Source::kField: {
        absl::StatusOr<std::string> value = PodField(pod, place, env.key);
        if (!value.ok()) return Missing(value.status().message());
        out.Set(env.name, *std::move(value));
        break;
      }
      case EnvVar::Source::kResource: {
        const ContainerSpec* of = env.container.empty() ? &container : pod.Find(env.container);
        if (of == nullptr) return Missing(absl::StrCat("container ", env.container, " not found"));
        const std::string value = ResourceFieldValue(*of, env.key, env.divisor_nano, node);
        if (value.empty())
          return Missing(absl::StrCat("unsupported container resource: ", env.key));
        out.Set(env.name, value);
        break;
      }
    }
  }
  return out.Finish();
}

}  // namespace skerry::edged
