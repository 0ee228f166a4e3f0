// A disk in memory for SQLite, whose power can be cut at any write.
#ifndef SKERRY_SERVICES_LIB_SQLITE_TESTING_SIM_DISK_H_
#define SKERRY_SERVICES_LIB_SQLITE_TESTING_SIM_DISK_H_

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::sqlite::testing {

// Reads see what was written; a power cut leaves what was synced, and of the rest whatever a disk
// and its cache may leave: nothing, all, the first part, or any writes without those between, each
// whole or some of its sectors, at old sizes or new. A file that was made has its name from its
// first sync, a removed one is gone from the sync of the removal, and all that from the first sync
// of a new log or journal, as with SQLite on unix. Names that Storage changes are durable at once.
// All chance comes from the seed.
//
// One thread. It outlives the databases on it, and has one connection a file: locks are not kept.
class SimDisk final : public Storage {
 public:
  explicit SimDisk(uint64_t seed);
  ~SimDisk() override;

  // ---- power ----
  // Writes, changes of size, syncs and removals so far.
  int64_t operations() const { return operations_; }
  // The power fails in the `operations`th of them from now: it and all that follows fail.
  void CutPowerIn(int64_t operations) { cut_at_ = operations_ + operations; }
  bool off() const { return off_; }
  // Cuts the power if it is on, and brings up what is left. No file may be open.
  void Restart();

  // ---- faults ----
  // Bytes that files may have in all. A write that has no room is done in part.
  void SetCapacity(int64_t bytes) { capacity_ = bytes; }
  int64_t UsedBytes() const;
  // Reads and writes of the `count` operations after `skip` fail with SQLITE_IOERR_*; writes are
  // done in part.
  void FailIn(int64_t skip, int64_t count);
  // Flips one to four bits within 512 bytes, somewhere in the file.
  void Rot(const std::string& path);
  const std::string& Bytes(const std::string& path) const;
  void SetBytes(const std::string& path, std::string bytes);  // Durably.

  // ---- Storage ----
  const char* vfs() const override { return name_.c_str(); }
  bool Exists(const std::string& path) override { return files_.count(path) > 0; }
  absl::Status Create(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  std::vector<std::string> List(const std::string& prefix) override;

 private:
  friend struct SimVfs;
  // A write, or where there are no bytes a change of the size to `offset`.
  struct Change {
    size_t offset = 0;
    std::string bytes;
  };
  struct File {
    std::string now;
    std::string synced;
    std::vector<Change> unsynced;
    bool named = false;        // Its name survives a cut.
    bool syncs_names = false;  // Its first sync makes all names durable.
  };
  using FilePtr = std::shared_ptr<File>;

  uint64_t Random(uint64_t below) { return random_() % below; }
  // Counts an operation. An SQLite code if it fails.
  int Begin();
  bool FailsNow() const { return operations_ > fail_after_ && operations_ <= fail_to_; }
  int Read(File& file, char* to, size_t size, size_t offset);
  int Write(File& file, const char* bytes, size_t size, size_t offset);
  int Resize(File& file, size_t size);
  int Sync(File& file);
  int Delete(const std::string& path, bool sync);
  std::string Survivor(const File& file);
  static void Apply(const Change& change, std::string& bytes);

  const std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  std::mt19937_64 random_;
  std::map<std::string, FilePtr> files_;
  std::map<std::string, FilePtr> removed_;                              // Without a sync.
  std::map<std::string, std::vector<std::unique_ptr<char[]>>> shared_;  // SQLite's shared memory.
  int64_t operations_ = 0;
  int64_t cut_at_ = -1;
  bool off_ = false;
  int64_t capacity_ = int64_t{1} << 40;
  int64_t fail_after_ = -1;
  int64_t fail_to_ = -1;
};

}  // namespace skerry::sqlite::testing

#endif  // SKERRY_SERVICES_LIB_SQLITE_TESTING_SIM_DISK_H_
