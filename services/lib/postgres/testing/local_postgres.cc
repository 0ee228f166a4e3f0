#include "services/lib/postgres/testing/local_postgres.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <sstream>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/postgres/pq_errors.h"

namespace skerry::testing {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(60);

std::string FindBinary(const std::string& name) {
  std::error_code ignored;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
    const std::string path = version.path().string() + "/bin/" + name;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return name;
}

// Whom the server runs as where the test is root.
const passwd* PostgresUser() { return geteuid() == 0 ? getpwnam("postgres") : nullptr; }

// Between fork and exec the child only makes system calls: the test has threads, and what one of
// them held at the fork (a sanitizer's allocator has locks too) is held in the child for ever.
pid_t Spawn(const std::vector<std::string>& command, const std::string& log) {
  const passwd* const user = PostgresUser();
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  if (user != nullptr &&
      (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
    _exit(126);
  }
  const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int none = open("/dev/null", O_RDONLY);
  if (fd < 0 || none < 0 || chdir("/tmp") != 0) _exit(125);
  dup2(none, STDIN_FILENO);
  dup2(fd, STDOUT_FILENO);
  dup2(fd, STDERR_FILENO);
  execv(arguments[0], arguments.data());
  _exit(127);
}

std::string Text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

LocalPostgres::LocalPostgres(std::string folder) : folder_(std::move(folder)) {}

absl::StatusOr<std::unique_ptr<LocalPostgres>> LocalPostgres::Start() {
  char pattern[] = "/tmp/skerry-pg-XXXXXX";
  if (mkdtemp(pattern) == nullptr) return absl::InternalError("cannot make a folder in /tmp");
  std::unique_ptr<LocalPostgres> server(new LocalPostgres(pattern));
  if (geteuid() == 0) {
    const passwd* const user = PostgresUser();
    if (user == nullptr || chown(pattern, user->pw_uid, user->pw_gid) != 0) {
      return absl::FailedPreconditionError(
          "there is no user postgres: install Debian's package postgresql");
    }
  }
  const std::string log = server->folder_ + "/log";
  const pid_t initdb =
      Spawn({FindBinary("initdb"), "--no-sync", "--auth=trust", "--username=postgres",
             "--encoding=UTF8", "--locale=C.UTF-8", "-D", server->folder_ + "/data"},
            log);
  int status = 0;
  if (initdb < 0 || waitpid(initdb, &status, 0) != initdb || status != 0) {
    return absl::FailedPreconditionError(absl::StrCat("initdb failed (", status, "): ", Text(log)));
  }
  SKERRY_RETURN_IF_ERROR(server->Launch());
  return server;
}

LocalPostgres::~LocalPostgres() {
  Kill(SIGQUIT);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

absl::Status LocalPostgres::Launch() {
  // A wide-open port is none: Unix socket only.
  server_ = Spawn({FindBinary("postgres"), "-D", folder_ + "/data", "-k", folder_, "-c",
                   "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c",
                   "max_connections=60"},
                  folder_ + "/log");
  const absl::Time deadline = absl::Now() + kStartTimeout;
  for (;;) {
    const absl::Status status = postgres::CatchPq("connect", [&] {
      pqxx::connection connection(absl::StrCat("host=", folder_, " user=postgres dbname=postgres"));
      return absl::OkStatus();
    });
    if (status.ok()) return status;
    int exit_status = 0;
    if (waitpid(server_, &exit_status, WNOHANG) == server_) {
      server_ = -1;
      return absl::InternalError(absl::StrCat("PostgreSQL ended: ", Text(folder_ + "/log")));
    }
    if (absl::Now() > deadline) return status;
    std::this_thread::yield();
  }
}

void LocalPostgres::Kill(int signal) {
  if (server_ <= 0) return;
  kill(server_, signal);
  waitpid(server_, nullptr, 0);
  server_ = -1;
}

absl::StatusOr<std::string> LocalPostgres::CreateDatabase() {
  const std::string name = absl::StrCat("test_", ++databases_);
  return postgres::CatchPq("create database", [&]() -> absl::StatusOr<std::string> {
    pqxx::connection connection(absl::StrCat("host=", folder_, " user=postgres dbname=postgres"));
    pqxx::nontransaction(connection).exec("CREATE DATABASE " + name);
    return absl::StrCat("host=", folder_, " user=postgres dbname=", name);
  });
}

void LocalPostgres::Crash() {
  Kill(SIGQUIT);  // "Immediate": no checkpoint, recovery at the next start.
}

absl::Status LocalPostgres::Restart() { return Launch(); }

absl::Status LocalPostgres::CrashAndRestart() {
  Crash();
  return Restart();
}

}  // namespace skerry::testing
