#include "services/lib/config/config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/config/setting.h"
#include "services/lib/config/yaml_file.h"

extern char** environ;  // NOLINT: POSIX's name

namespace skerry::config {
namespace {

// A variable that Kubernetes injects because a Service of the cluster has our name; not addressed
// to us.
bool IsServiceLink(absl::string_view suffix) {
  for (absl::string_view part : {"SERVICE_HOST", "SERVICE_PORT", "PORT"}) {
    if (suffix == part) return true;
  }
  return suffix.substr(0, 13) == "SERVICE_PORT_" ||
         (suffix.substr(0, 5) == "PORT_" && suffix.size() > 5 && absl::ascii_isdigit(suffix[5]));
}

std::map<std::string, std::string> Environment() {
  std::map<std::string, std::string> env;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    absl::string_view text(*entry);
    const size_t equals = text.find('=');
    if (equals == absl::string_view::npos) continue;
    env.emplace(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
  }
  return env;
}

// "edgehub-svc" -> "SKERRY_EDGEHUB_".
std::string EnvPrefix(absl::string_view service) {
  if (service.size() > 4 && service.substr(service.size() - 4) == "-svc") service.remove_suffix(4);
  std::string name = absl::AsciiStrToUpper(service);
  absl::StrReplaceAll({{"-", "_"}, {".", "_"}}, &name);
  return absl::StrCat("SKERRY_", name, "_");
}

Error Refuse(absl::string_view source, absl::string_view problem) {
  return Error(absl::StatusCode::kInvalidArgument, absl::StrCat(source, ": ", problem))
      .Reason("INVALID_CONFIG")
      .Meta("source", source);
}

}  // namespace

struct Schema::Impl {
  // What the command line held besides the settings.
  struct CommandLine {
    std::string config_file;
    bool help = false;
    bool version = false;
    bool validate = false;
    bool check_health = false;
    std::map<std::string, std::vector<std::string>> values;  // By flag.
    std::string help_text;
  };

  std::string service;
  std::string help;
  std::string env_prefix;
  std::vector<std::unique_ptr<SettingBase>> settings;
  std::map<std::string, std::string> renamed;  // Present names by former ones.
  std::vector<std::function<absl::Status()>> checks;
  std::vector<std::string> problems;

  Setting& AddSetting(std::unique_ptr<SettingBase> setting) {
    settings.push_back(std::move(setting));
    return *settings.back();
  }
  std::string Variable(absl::string_view name) const {
    return env_prefix + absl::AsciiStrToUpper(Underscored(name));
  }
  // How to mend `given`, which is no setting's name as `spelling` writes it.
  std::string Suggest(absl::string_view given,
                      const std::function<std::string(const std::string& name)>& spelling) const;

  // Whether it is a flag that takes its value from the next argument.
  bool IsValued(absl::string_view argument) const;
  // Takes what CLI11 cannot: --listen= (empty) and --strict=false (of a flag).
  bool TakeAssignment(absl::string_view argument, CommandLine& line) const;
  absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv) const;
  void ApplyFile(const std::string& path);
  void ApplyEnvironment(const std::map<std::string, std::string>& env);
  void ApplyFlags(const CommandLine& line);
  void RunChecks();
};

std::string Schema::Impl::Suggest(
    absl::string_view given,
    const std::function<std::string(const std::string& name)>& spelling) const {
  for (const auto& [former, name] : renamed) {
    if (spelling(former) == given) return absl::StrCat("it is called ", spelling(name), " now");
  }
  std::vector<std::string> known;
  for (const auto& setting : settings) known.push_back(spelling(setting->name()));
  const std::string near = Nearest(given, known);
  return near.empty() ? "remove it (--help lists what there is)"
                      : absl::StrCat("did you mean ", near, "?");
}

bool Schema::Impl::IsValued(absl::string_view argument) const {
  if (argument == "--config") return true;
  return std::any_of(settings.begin(), settings.end(), [argument](const auto& setting) {
    return !setting->is_bool() && absl::StrCat("--", setting->underscored()) == argument;
  });
}

bool Schema::Impl::TakeAssignment(absl::string_view argument, CommandLine& line) const {
  const size_t equals = argument.find('=');
  if (equals == absl::string_view::npos || argument.substr(0, 2) != "--") return false;
  for (const auto& setting : settings) {
    if (setting->underscored() != argument.substr(2, equals - 2)) continue;
    const absl::string_view value = argument.substr(equals + 1);
    if (!value.empty() && !setting->is_bool()) return false;
    line.values[setting->underscored()].emplace_back(value);
    return true;
  }
  return false;
}

absl::StatusOr<Schema::Impl::CommandLine> Schema::Impl::ParseCommandLine(
    int argc, const char* const* argv) const {
  CommandLine line;
  CLI::App app(help, service);
  app.set_help_flag();
  app.allow_extras();
  app.add_flag("--help", line.help, "Print this and exit");
  app.add_flag("--version", line.version, "Print the version and exit");
  app.add_flag("--validate_config", line.validate, "Check the configuration and exit");
  app.add_flag("--check_health", line.check_health,
               "Ask the service that runs with this configuration whether it is ready, and exit: 0 "
               "if it is, 1 and what it waits for if not");
  app.add_option("--config", line.config_file, absl::StrCat("YAML file (", env_prefix, "CONFIG)"));
  for (const auto& setting : settings) {
    const std::string text = absl::StrCat(
        setting->help(), " [", setting->name(), ", ", Variable(setting->name()), "; default ",
        setting->is_secret() ? "is secret" : absl::StrCat("'", setting->Text(), "'"), "]");
    std::vector<std::string>& values = line.values[setting->underscored()];
    if (setting->is_bool()) {
      app.add_flag_function(
          "--" + setting->underscored(), [&values](int64_t count) { values.assign(1, "true"); },
          text);
    } else {
      app.add_option("--" + setting->underscored(), values, text)
          ->type_size(1)
          ->expected(1, 1 << 10)
          ->take_all();
    }
  }
  // CLI11 takes the arguments without the program's name, last one first.
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    if (i + 1 < argc && IsValued(argv[i]) && absl::StartsWith(argv[i + 1], "--")) {
      // CLI11 would take the next flag for the value.
      return Refuse(absl::StrCat("flag ", argv[i]),
                    absl::StrCat("lacks its value: write ", argv[i], "=VALUE"));
    }
    if (!TakeAssignment(argv[i], line)) arguments.emplace_back(argv[i]);
  }
  try {
    app.parse(arguments);
  } catch (const CLI::Error& error) {
    return Refuse("command line", absl::StrCat(error.what(), " (--help lists the flags)"));
  }
  for (const std::string& extra : app.remaining()) {
    const std::string flag = extra.substr(0, extra.find('='));
    return Refuse(absl::StrCat("flag ", flag),
                  "is not known: " + Suggest(flag, [](const std::string& name) {
                    return "--" + Underscored(name);
                  }));
  }
  if (line.help) line.help_text = app.help();
  return line;
}

void Schema::Impl::ApplyFile(const std::string& path) {
  std::set<std::string> names, sections;
  for (const auto& setting : settings) {
    names.insert(setting->name());
    for (size_t dot = setting->name().find('.'); dot != std::string::npos;
         dot = setting->name().find('.', dot + 1)) {
      sections.insert(setting->name().substr(0, dot));
    }
  }
  absl::StatusOr<std::vector<YamlEntry>> entries = ReadYaml(path, names, sections);
  if (!entries.ok()) {
    problems.emplace_back(entries.status().message());
    return;
  }
  for (const YamlEntry& entry : *entries) {
    const std::string source = absl::StrCat(path, ":", entry.line);
    bool known = false;
    for (const auto& setting : settings) {
      if (setting->name() != entry.key) continue;
      known = true;
      setting->Set(entry.values, entry.is_list, source, problems);
    }
    if (!known) {
      problems.push_back(absl::StrCat(
          source, ": key '", entry.key,
          "' is not known: ", Suggest(entry.key, [](const std::string& name) { return name; })));
    }
  }
}

void Schema::Impl::ApplyEnvironment(const std::map<std::string, std::string>& env) {
  for (const auto& [name, value] : env) {
    if (name.compare(0, env_prefix.size(), env_prefix) != 0 || name == env_prefix + "CONFIG")
      continue;
    const std::string source = "variable " + name;
    bool known = false;
    for (const auto& setting : settings) {
      if (Variable(setting->name()) != name) continue;
      known = true;
      setting->Set({value}, /*is_list=*/false, source, problems);
    }
    if (!known && !IsServiceLink(absl::string_view(name).substr(env_prefix.size()))) {
      problems.push_back(absl::StrCat(
          source, ": is not known: ", Suggest(name, [this](const std::string& setting) {
            return Variable(setting);
          })));
    }
  }
}

void Schema::Impl::ApplyFlags(const CommandLine& line) {
  for (const auto& setting : settings) {
    const std::vector<std::string>& values = line.values.at(setting->underscored());
    if (values.empty()) continue;
    const std::string source = "flag --" + setting->underscored();
    if (values.size() > 1 && !setting->is_list()) {
      problems.push_back(absl::StrCat(source, ": has ", values.size(), " values: give one"));
      continue;
    }
    setting->Set(values, /*is_list=*/values.size() > 1, source, problems);
  }
}

void Schema::Impl::RunChecks() {
  for (const auto& setting : settings) {
    setting->Validate(
        absl::StrCat("give --", setting->underscored(), ", ", Variable(setting->name()), " or '",
                     setting->name(), "' in the config file"),
        problems);
  }
  if (!problems.empty()) return;  // Checks over several settings may rely on each one's own.
  for (const auto& check : checks) {
    absl::Status status = check();
    if (!status.ok()) problems.emplace_back(status.message());
  }
}

Schema::Schema(absl::string_view service, absl::string_view help)
    : impl_(std::make_unique<Impl>()) {
  impl_->service = std::string(service);
  impl_->help = std::string(help);
  impl_->env_prefix = EnvPrefix(service);
}
Schema::~Schema() = default;

Schema::Setting& Schema::Add(absl::string_view name, std::string* field, absl::string_view help) {
  return impl_->AddSetting(NewSetting(name, field, help));
}
Schema::Setting& Schema::Add(absl::string_view name, bool* field, absl::string_view help) {
  return impl_->AddSetting(NewSetting(name, field, help));
}
Schema::Setting& Schema::Add(absl::string_view name, int64_t* field, absl::string_view help) {
  return impl_->AddSetting(NewSetting(name, field, help));
}
Schema::Setting& Schema::Add(absl::string_view name, double* field, absl::string_view help) {
  return impl_->AddSetting(NewSetting(name, field, help));
}
Schema::Setting& Schema::Add(absl::string_view name, absl::Duration* field,
                             absl::string_view help) {
  return impl_->AddSetting(NewSetting(name, field, help));
}
Schema::Setting& Schema::Add(absl::string_view name, std::vector<std::string>* field,
                             absl::string_view help) {
  return impl_->AddSetting(NewSetting(name, field, help));
}
Schema::Setting& Schema::AddBytes(absl::string_view name, int64_t* field, absl::string_view help) {
  return impl_->AddSetting(NewBytesSetting(name, field, help));
}

void Schema::Renamed(absl::string_view former, absl::string_view name) {
  impl_->renamed[std::string(former)] = std::string(name);
}

void Schema::Check(std::function<absl::Status()> check) {
  impl_->checks.push_back(std::move(check));
}

absl::StatusOr<Action> Schema::Load(int argc, const char* const* argv) {
  return LoadWith(argc, argv, Environment());
}

absl::StatusOr<Action> Schema::LoadWith(int argc, const char* const* argv,
                                        const std::map<std::string, std::string>& env) {
  Impl& impl = *impl_;
  SKERRY_ASSIGN_OR_RETURN(Impl::CommandLine line, impl.ParseCommandLine(argc, argv));
  if (line.help) {
    std::fputs(line.help_text.c_str(), stdout);
    return Action::kExit;
  }
  if (line.version) {
    std::printf("%s %s (%s)\n", impl.service.c_str(), BuildVersion(), BuildCommit());
    return Action::kExit;
  }
  impl.problems.clear();
  auto variable = env.find(impl.env_prefix + "CONFIG");
  if (line.config_file.empty() && variable != env.end()) line.config_file = variable->second;
  if (!line.config_file.empty()) impl.ApplyFile(line.config_file);
  impl.ApplyEnvironment(env);
  impl.ApplyFlags(line);
  impl.RunChecks();
  if (!impl.problems.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, absl::StrJoin(impl.problems, "\n"))
        .Reason("INVALID_CONFIG");
  }
  if (line.check_health) return Action::kCheckHealth;
  if (!line.validate) return Action::kRun;
  std::printf("%s: the configuration is good\n", impl.service.c_str());
  return Action::kExit;
}

const std::string& Schema::service() const { return impl_->service; }

std::vector<log::Field> Schema::Effective() const {
  std::vector<log::Field> fields;
  for (const auto& setting : impl_->settings) {
    const std::string text = setting->Text();
    fields.emplace_back(setting->name(), setting->is_secret() && !text.empty() ? "***" : text);
  }
  return fields;
}

void AddCommon(Schema& schema, CommonConfig& config) {
  schema.Add("log.level", &config.log_level, "Lines below this level are dropped")
      .OneOf({"debug", "info", "warning", "error"});
  schema.Add("ops.listen", &config.ops_listen, "Address of /metrics, /livez and /readyz, host:port")
      .Required();
  schema.Add("addresses_file", &config.addresses_file,
             "Receives the bound addresses as JSON after the start");
  schema.Add("process.drain_timeout", &config.drain_timeout, "What running work gets on SIGTERM")
      .Max(absl::Minutes(10));
}

}  // namespace skerry::config
