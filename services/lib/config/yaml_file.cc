#include "services/lib/config/yaml_file.h"

#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::config {
namespace {

constexpr size_t kFileMax = 1 << 20;

Error Refuse(absl::string_view source, absl::string_view problem) {
  return Error(absl::StatusCode::kInvalidArgument, absl::StrCat(source, ": ", problem))
      .Reason("INVALID_CONFIG")
      .Meta("source", source);
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                       &std::fclose);
  if (file == nullptr) {
    const int error = errno;
    return Refuse(path, absl::StrCat("cannot open the config file: ", std::strerror(error)));
  }
  std::string text(kFileMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0)
    return Refuse(path, "cannot read the config file: is it a directory?");
  if (text.size() > kFileMax) return Refuse(path, "the config file is larger than 1 MiB");
  return text;
}

// Walks one document. Only maps of `sections` are descended into, so an alias cannot make it walk
// for long.
class Walk {
 public:
  Walk(const std::string& path, const std::set<std::string>& names,
       const std::set<std::string>& sections)
      : path_(path), names_(names), sections_(sections) {}

  absl::Status Visit(const YAML::Node& map, const std::string& prefix) {
    for (const auto& member : map) {
      const YAML::Node& value = member.second;
      const int line = member.first.Mark().line + 1;
      const std::string at = absl::StrCat(path_, ":", line);
      if (!member.first.IsScalar()) return Refuse(at, "a key must be a plain word");
      const std::string key = prefix + member.first.Scalar();
      if (!seen_.insert(key).second && !value.IsMap()) {
        return Refuse(at, absl::StrCat("key '", key, "' is given twice: remove one"));
      }
      if (value.IsMap() && sections_.count(key) > 0) {
        SKERRY_RETURN_IF_ERROR(Visit(value, key + "."));
        continue;
      }
      if (sections_.count(key) > 0 && names_.count(key) == 0) {
        return Refuse(at, absl::StrCat("key '", key, "' is a section: give it keys of its own"));
      }
      SKERRY_RETURN_IF_ERROR(Leaf(at, line, key, value));
    }
    return absl::OkStatus();
  }

  std::vector<YamlEntry> Take() { return std::move(entries_); }

 private:
  absl::Status Leaf(const std::string& at, int line, const std::string& key,
                    const YAML::Node& value) {
    YamlEntry entry{key, {}, value.IsSequence(), line};
    if (names_.count(key) == 0) {  // The caller refuses it, by name.
      entries_.push_back(std::move(entry));
      return absl::OkStatus();
    }
    if (value.IsScalar()) {
      entry.values.push_back(value.Scalar());
    } else if (value.IsSequence()) {
      for (const YAML::Node& item : value) {
        if (!item.IsScalar())
          return Refuse(at, absl::StrCat("key '", key, "': the list's items must be plain values"));
        entry.values.push_back(item.Scalar());
      }
    } else {
      return Refuse(at, absl::StrCat("key '", key, "' needs a value: give one, or remove the key"));
    }
    entries_.push_back(std::move(entry));
    return absl::OkStatus();
  }

  const std::string& path_;
  const std::set<std::string>& names_;
  const std::set<std::string>& sections_;
  std::set<std::string> seen_;
  std::vector<YamlEntry> entries_;
};

}  // namespace

absl::StatusOr<std::vector<YamlEntry>> ReadYaml(const std::string& path,
                                                const std::set<std::string>& names,
                                                const std::set<std::string>& sections) {
  SKERRY_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  Walk walk(path, names, sections);
  try {
    std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1) return Refuse(path, "holds more than one YAML document: give one");
    if (documents.empty() || documents[0].IsNull()) return walk.Take();
    if (!documents[0].IsMap()) return Refuse(path, "must be a YAML map of settings");
    SKERRY_RETURN_IF_ERROR(walk.Visit(documents[0], ""));
  } catch (const YAML::Exception& error) {
    return Refuse(absl::StrCat(path, ":", error.mark.line + 1),
                  absl::StrCat("is not YAML: ", error.msg));
  }
  return walk.Take();
}

}  // namespace skerry::config
