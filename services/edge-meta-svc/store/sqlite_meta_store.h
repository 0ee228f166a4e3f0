// MetaStore in one SQLite file.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_STORE_SQLITE_META_STORE_H_
#define SKERRY_SERVICES_EDGE_META_SVC_STORE_SQLITE_META_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/edge-meta-svc/store/meta_store.h"
#include "services/edge-meta-svc/store/object_cipher.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::edgemeta {

struct SqliteMetaStoreOptions {
  std::string path;      // The file; it and its -wal and -shm get mode 0600.
  std::string key_path;  // Key of the encrypted objects.
  std::set<std::string> sealed_types = {"secrets"};  // Types that are encrypted at rest.
  // A snapshot with one of these ends only when the cloud has once named all objects of the type. A
  // reader that took an empty new store for the truth would end every pod of the box, or forget
  // what was written to its twins.
  std::set<std::string> whole_types = {"pods", "devices.devices.kubeedge.io"};
  int64_t log_entries_max = 10000;   // Changes that a watcher may resume over...
  int64_t log_bytes_max = 16 << 20;  // ...and the bytes of their last states; the oldest go.
  int64_t report_bytes_max = 32 << 20;
  int64_t size_bytes_max = 0;         // Of the file; 0 for no bound.
  int64_t copy_bytes_max = 32 << 20;  // A larger file is not copied: that would hold up its users.
  sqlite::Environment environment;
};

// What a store lost or replaced when it was opened: worth a line in the log.
struct OpenNotes {
  std::optional<sqlite::Repair> repair;  // Of a damaged file.
  bool key_created = false;
  int64_t dropped_objects =
      0;  // Encrypted, and the key no longer fits: the cloud sends them again.
};

// Encrypts objects of `sealed_types`. A damaged file or a lost key is never fatal: objects that
// can't be read come from the last copy, which may be older, or are dropped; holdings say which
// these are, and the next sync brings what is newer.
class SqliteMetaStore final : public MetaStore {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteMetaStore>> Open(
      const SqliteMetaStoreOptions& options);

  const OpenNotes& notes() const { return notes_; }
  int64_t SizeBytes();
  // Copies the store beside itself, if it has changed since the last copy of this process.
  absl::Status WriteCopy();

  const std::string& id() const override { return id_; }
  absl::StatusOr<std::vector<watch::Change>> Apply(const Batch& batch, absl::Time now) override;
  absl::StatusOr<watch::Change> Get(absl::string_view type, absl::string_view key) override;
  absl::StatusOr<std::vector<watch::Change>> List(absl::string_view type,
                                                  absl::string_view object_namespace,
                                                  absl::string_view after_key, size_t limit,
                                                  size_t bytes_max) override;
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> Holdings(
      absl::string_view type) override;
  absl::StatusOr<TypeState> StateOf(absl::string_view type) override;
  int64_t Revision() override;
  absl::StatusOr<std::vector<watch::Change>> ReadObjects(const std::set<std::string>& types,
                                                         const watch::Position& after,
                                                         size_t bytes_max) override;
  absl::StatusOr<bool> Complete(const std::set<std::string>& types) override;
  absl::StatusOr<watch::LogPage> ReadLog(const std::set<std::string>& types, int64_t revision,
                                         size_t bytes_max) override;
  absl::StatusOr<PutOutcome> PutReport(Report report, absl::Time now) override;
  absl::StatusOr<std::vector<Report>> Reports(int64_t number, size_t limit,
                                              size_t bytes_max) override;
  absl::Status DropReports(const std::vector<int64_t>& numbers) override;
  absl::StatusOr<int64_t> CountReports() override;

 private:
  struct Counters {
    int64_t revision = 0;  // Of the last change.
    int64_t trimmed = 0;   // The log begins after it.
    int64_t log_bytes = 0;
  };

  SqliteMetaStore(const SqliteMetaStoreOptions& options, std::unique_ptr<sqlite::Database> database,
                  std::unique_ptr<ObjectCipher> cipher);
  absl::Status Load();
  absl::Status DropUnreadable();
  absl::Status SumStoreRow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Status ApplyOne(const Mutation& mutation, Counters& counters,
                        std::vector<watch::Change>& changes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Log(const watch::Change& change, Counters& counters)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Trim(Counters& counters) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteReport(const Report& report) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<watch::Change> ReadRow(const sqlite::Statement& row, absl::string_view type) const;
  absl::StatusOr<std::string> Unseal(bool sealed, const watch::Change& change,
                                     std::string bytes) const;

  const SqliteMetaStoreOptions options_;
  const std::unique_ptr<ObjectCipher> cipher_;
  absl::Mutex mutex_;
  std::unique_ptr<sqlite::Database> database_ ABSL_GUARDED_BY(mutex_);
  Counters counters_ ABSL_GUARDED_BY(mutex_);
  int64_t report_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t copied_revision_ ABSL_GUARDED_BY(mutex_) = -1;
  HybridTime report_time_ ABSL_GUARDED_BY(mutex_);  // Of the last report ever stored.
  std::string id_;
  OpenNotes notes_;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_STORE_SQLITE_META_STORE_H_
