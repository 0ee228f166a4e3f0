// The files below databases: what SQLite's VFS does not do, and which VFS it is. Tests put a disk
// there whose power can be cut (testing/sim_disk.h).
#ifndef SKERRY_SERVICES_LIB_SQLITE_STORAGE_H_
#define SKERRY_SERVICES_LIB_SQLITE_STORAGE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace skerry::sqlite {

// Any thread may call it. Names are paths. Renames and removals that returned OK survive a power
// cut.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual const char* vfs() const = 0;  // As SQLite knows it; null: its default.
  virtual bool Exists(const std::string& path) = 0;
  // Makes the file, for its owner alone, unless it is there: stores hold secrets.
  virtual absl::Status Create(const std::string& path) = 0;
  // Replaces `to`. OK where there is no `from`.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  // OK where there is none.
  virtual absl::Status Remove(const std::string& path) = 0;
  // The paths that begin with `prefix`, in order. Its folder is that of all of them.
  virtual std::vector<std::string> List(const std::string& prefix) = 0;
};

// This machine's file system.
Storage& LocalStorage();

// What a store's service gives it for its databases.
struct Environment {
  Storage* storage = &LocalStorage();  // Outlives them.
  // Called when a file that was good at the start is found damaged in use, on the thread that met
  // it, and each time. The next Open repairs it, so the service should end soon and be started
  // again.
  std::function<void(const absl::Status&)> on_damage;
  // Called when a statement or a commit fails for the disk or the file: full, or at its bound; an
  // I/O error; no access; damaged. On the thread that met it; it must not use the database.
  std::function<void(const absl::Status&)> on_failure;
  // Told the size of the file, with what is free in it left out, at Open and after each
  // Transaction, on the thread of that; it must not use the database. What is written outside of
  // one counts from the next on.
  std::function<void(int64_t size_bytes)> on_size;
};

}  // namespace skerry::sqlite

#endif  // SKERRY_SERVICES_LIB_SQLITE_STORAGE_H_
