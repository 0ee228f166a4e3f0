#include "services/lib/sqlite/testing/sim_disk.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/check.h"
#include "services/lib/base/error.h"

namespace skerry::sqlite::testing {
namespace {

constexpr size_t kSector = 512;

absl::Status PowerIsOff() {
  return Error(absl::StatusCode::kUnavailable, "the power is off").Reason("DATABASE_IO");
}

}  // namespace

// SQLite's side of the disk: C functions over the files.
struct SimVfs {
  struct Handle {
    sqlite3_file base;
    SimDisk* disk;
    SimDisk::FilePtr file;
    std::string path;
    size_t chunk;
    bool persist_wal;
  };

  static SimDisk& DiskOf(sqlite3_vfs* vfs) { return *static_cast<SimDisk*>(vfs->pAppData); }
  static Handle& Of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }

  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags,
                  int* out_flags) {
    static const sqlite3_io_methods kMethods = {
        2,       Close,   Read,     Write,       Truncate, Sync,       FileSize,
        Lock,    Lock,    IsLocked, FileControl, Sector,   Properties, SharedMemoryMap,
        ShmLock, Barrier, ShmUnmap};
    out->pMethods = nullptr;
    SimDisk& disk = DiskOf(vfs);
    if (disk.off_) return SQLITE_CANTOPEN;
    SimDisk::FilePtr file;
    if (name == nullptr) {
      file = std::make_shared<SimDisk::File>();  // A temporary file has no name.
    } else {
      auto it = disk.files_.find(name);
      if (it == disk.files_.end()) {
        if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
        it = disk.files_.emplace(name, std::make_shared<SimDisk::File>()).first;
        it->second->syncs_names =
            (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0;
      }
      file = it->second;
    }
    new (out) Handle{{&kMethods}, &disk, std::move(file), name == nullptr ? "" : name, 0, false};
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }
  static int Close(sqlite3_file* file) {
    Of(file).~Handle();
    return SQLITE_OK;
  }
  static int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
    Handle& h = Of(file);
    return h.disk->Read(*h.file, static_cast<char*>(to), static_cast<size_t>(size),
                        static_cast<size_t>(offset));
  }
  static int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    Handle& h = Of(file);
    return h.disk->Write(*h.file, static_cast<const char*>(bytes), static_cast<size_t>(size),
                         static_cast<size_t>(offset));
  }
  static size_t InChunks(const Handle& h, sqlite3_int64 size) {
    const auto bytes = static_cast<size_t>(size);
    return h.chunk == 0 ? bytes : (bytes + h.chunk - 1) / h.chunk * h.chunk;
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    Handle& h = Of(file);
    return h.disk->Resize(*h.file, std::min(InChunks(h, size), h.file->now.size()));
  }
  static int Sync(sqlite3_file* file, int) { return Of(file).disk->Sync(*Of(file).file); }
  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(Of(file).file->now.size());
    return Of(file).disk->off_ ? SQLITE_IOERR_FSTAT : SQLITE_OK;
  }
  // As the unix VFS: with a chunk size, a size hint allocates.
  static int FileControl(sqlite3_file* file, int operation, void* argument) {
    Handle& h = Of(file);
    switch (operation) {
      case SQLITE_FCNTL_CHUNK_SIZE:
        h.chunk = static_cast<size_t>(*static_cast<int*>(argument));
        return SQLITE_OK;
      case SQLITE_FCNTL_SIZE_HINT: {
        const size_t size = InChunks(h, *static_cast<sqlite3_int64*>(argument));
        return h.chunk == 0 || size <= h.file->now.size() ? SQLITE_OK
                                                          : h.disk->Resize(*h.file, size);
      }
      case SQLITE_FCNTL_PERSIST_WAL: {
        int& value = *static_cast<int*>(argument);
        if (value >= 0) h.persist_wal = value != 0;
        value = h.persist_wal ? 1 : 0;
        return SQLITE_OK;
      }
      default:
        return SQLITE_NOTFOUND;
    }
  }
  static int Lock(sqlite3_file*, int) { return SQLITE_OK; }
  static int IsLocked(sqlite3_file*, int* locked) {
    *locked = 0;
    return SQLITE_OK;
  }
  static int Sector(sqlite3_file*) { return kSector; }
  static int Properties(sqlite3_file*) { return 0; }  // Nothing is promised.
  static int SharedMemoryMap(sqlite3_file* file, int region, int size, int extend,
                             void volatile** out) {
    auto& regions = Of(file).disk->shared_[Of(file).path];
    *out = nullptr;
    const auto index = static_cast<size_t>(region);
    if (regions.size() <= index && extend == 0) return SQLITE_OK;
    while (regions.size() <= index)
      regions.push_back(std::make_unique<char[]>(static_cast<size_t>(size)));
    *out = regions[index].get();
    return SQLITE_OK;
  }
  static int ShmLock(sqlite3_file*, int, int, int) { return SQLITE_OK; }
  static void Barrier(sqlite3_file*) {}
  // Who opens it next is the first one again, and begins an index of their own.
  static int ShmUnmap(sqlite3_file* file, int) {
    Of(file).disk->shared_.erase(Of(file).path);
    return SQLITE_OK;
  }

  static int Delete(sqlite3_vfs* vfs, const char* name, int sync) {
    return DiskOf(vfs).Delete(name, sync != 0);
  }
  static int Access(sqlite3_vfs* vfs, const char* name, int, int* out) {
    *out = DiskOf(vfs).Exists(name) ? 1 : 0;
    return SQLITE_OK;
  }
  static int FullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }
  static int Randomness(sqlite3_vfs*, int size, char* out) {
    std::memset(out, 0, static_cast<size_t>(size));
    return size;
  }
  static int Sleep(sqlite3_vfs*, int micros) { return micros; }
  static int CurrentTime(sqlite3_vfs*, double* julian_day) {
    *julian_day = 2460000;
    return SQLITE_OK;
  }
};

SimDisk::SimDisk(uint64_t seed)
    : name_(absl::StrCat("sim-", reinterpret_cast<uintptr_t>(this))), random_(seed) {
  vfs_ = std::make_unique<sqlite3_vfs>();
  vfs_->iVersion = 1;
  vfs_->szOsFile = sizeof(SimVfs::Handle);
  vfs_->mxPathname = 512;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = SimVfs::Open;
  vfs_->xDelete = SimVfs::Delete;
  vfs_->xAccess = SimVfs::Access;
  vfs_->xFullPathname = SimVfs::FullPathname;
  vfs_->xRandomness = SimVfs::Randomness;
  vfs_->xSleep = SimVfs::Sleep;
  vfs_->xCurrentTime = SimVfs::CurrentTime;
  SKERRY_CHECK(sqlite3_vfs_register(vfs_.get(), 0) == SQLITE_OK);
  // SQLite's own chance (salts of logs) is of this seed, too. 0 would mean none.
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(seed % 1000003) + 1, nullptr);
}

SimDisk::~SimDisk() { sqlite3_vfs_unregister(vfs_.get()); }

int SimDisk::Begin() {
  if (off_) return SQLITE_IOERR;
  if (++operations_ == cut_at_) off_ = true;
  return off_ ? SQLITE_IOERR : SQLITE_OK;
}

void SimDisk::FailIn(int64_t skip, int64_t count) {
  fail_after_ = operations_ + skip;
  fail_to_ = fail_after_ + count;
}

int64_t SimDisk::UsedBytes() const {
  int64_t used = 0;
  for (const auto& [path, file] : files_) used += static_cast<int64_t>(file->now.size());
  return used;
}

int SimDisk::Read(File& file, char* to, size_t size, size_t offset) {
  if (off_) return SQLITE_IOERR_READ;
  if (operations_ >= fail_after_ && operations_ < fail_to_) {
    ++operations_;
    return SQLITE_IOERR_READ;
  }
  const size_t there = offset < file.now.size() ? std::min(size, file.now.size() - offset) : 0;
  std::memcpy(to, file.now.data() + offset, there);
  std::memset(to + there, 0, size - there);
  return there == size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int SimDisk::Write(File& file, const char* bytes, size_t size, size_t offset) {
  const bool was_on = !off_;
  int code = Begin() == SQLITE_OK ? SQLITE_OK : SQLITE_IOERR_WRITE;
  size_t done = size;
  if (code == SQLITE_OK && FailsNow()) {
    code = SQLITE_IOERR_WRITE;
    done = static_cast<size_t>(Random(size));
  }
  const size_t grown = std::max(file.now.size(), offset + done) - file.now.size();
  const int64_t room = capacity_ - UsedBytes();
  if (static_cast<int64_t>(grown) > room) {
    code = SQLITE_FULL;
    const size_t short_of = grown - static_cast<size_t>(std::max<int64_t>(room, 0));
    done -= std::min(done, short_of);
  }
  // What the power failed in may reach the disk like any write that was not synced.
  if (was_on && done > 0) {
    file.unsynced.push_back({offset, std::string(bytes, done)});
    Apply(file.unsynced.back(), file.now);
  }
  return code;
}

int SimDisk::Resize(File& file, size_t size) {
  const bool was_on = !off_;
  int code = Begin() == SQLITE_OK ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
  if (code == SQLITE_OK && FailsNow()) return SQLITE_IOERR_TRUNCATE;
  if (size > file.now.size() &&
      UsedBytes() + static_cast<int64_t>(size - file.now.size()) > capacity_)
    return SQLITE_FULL;
  if (was_on) {
    file.unsynced.push_back({size, ""});
    Apply(file.unsynced.back(), file.now);
  }
  return code;
}

int SimDisk::Sync(File& file) {
  if (Begin() != SQLITE_OK || FailsNow()) return SQLITE_IOERR_FSYNC;
  file.synced = file.now;
  file.unsynced.clear();
  file.named = true;
  if (std::exchange(file.syncs_names, false)) {
    removed_.clear();
    for (auto& [path, other] : files_) other->named = true;
  }
  return SQLITE_OK;
}

int SimDisk::Delete(const std::string& path, bool sync) {
  if (Begin() != SQLITE_OK || FailsNow()) return SQLITE_IOERR_DELETE;
  auto it = files_.find(path);
  if (it == files_.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (!sync && it->second->named) removed_[path] = it->second;
  if (sync) removed_.erase(path);
  files_.erase(it);
  return SQLITE_OK;
}

void SimDisk::Apply(const Change& change, std::string& bytes) {
  if (change.bytes.empty()) return bytes.resize(change.offset);
  if (bytes.size() < change.offset + change.bytes.size())
    bytes.resize(change.offset + change.bytes.size());
  bytes.replace(change.offset, change.bytes.size(), change.bytes);
}

std::string SimDisk::Survivor(const File& file) {
  std::string bytes = file.synced;
  const uint64_t kind = Random(4);  // Nothing, the first part, all but some, any sectors.
  const size_t part = static_cast<size_t>(Random(file.unsynced.size() + 1));
  for (size_t i = 0; i < file.unsynced.size(); ++i) {
    const Change& change = file.unsynced[i];
    if (kind == 0 || (kind == 1 && i >= part) || (kind == 2 && Random(8) == 0)) continue;
    if (kind != 3 || change.bytes.empty()) {
      if (kind != 3 || Random(2) == 0) Apply(change, bytes);
      continue;
    }
    for (size_t from = 0; from < change.bytes.size();) {
      const size_t at = change.offset + from;
      const size_t size = std::min(kSector - at % kSector, change.bytes.size() - from);
      if (Random(2) == 0) Apply({at, change.bytes.substr(from, size)}, bytes);
      from += size;
    }
  }
  return bytes;
}

void SimDisk::Restart() {
  for (auto& [path, file] : removed_) {
    if (files_.count(path) == 0 && Random(2) == 0) files_[path] = file;
  }
  removed_.clear();
  for (auto it = files_.begin(); it != files_.end();) {
    File& file = *it->second;
    if (!file.named && Random(2) == 0) {
      it = files_.erase(it);
      continue;
    }
    file.now = file.synced = Survivor(file);
    file.unsynced.clear();
    file.named = true;
    ++it;
  }
  shared_.clear();
  off_ = false;
  cut_at_ = -1;
}

void SimDisk::Rot(const std::string& path) {
  std::string bytes = Bytes(path);
  SKERRY_CHECK(!bytes.empty());
  const size_t begin = static_cast<size_t>(Random(bytes.size())) / kSector * kSector;
  const size_t size = std::min(kSector, bytes.size() - begin);
  for (uint64_t i = 0, flips = 1 + Random(4); i < flips; ++i)
    bytes[begin + static_cast<size_t>(Random(size))] ^= static_cast<char>(1 << Random(8));
  SetBytes(path, std::move(bytes));
}

const std::string& SimDisk::Bytes(const std::string& path) const {
  auto it = files_.find(path);
  SKERRY_CHECK(it != files_.end());
  return it->second->now;
}

void SimDisk::SetBytes(const std::string& path, std::string bytes) {
  FilePtr& file = files_[path];
  if (file == nullptr) file = std::make_shared<File>();
  *file = {bytes, bytes, {}, true};
}

// ---- Storage ----

absl::Status SimDisk::Create(const std::string& path) {
  if (off_) return PowerIsOff();
  FilePtr& file = files_[path];
  if (file == nullptr) file = std::make_shared<File>();
  return absl::OkStatus();
}

absl::Status SimDisk::Rename(const std::string& from, const std::string& to) {
  auto it = files_.find(from);
  if (it == files_.end() && !off_) return absl::OkStatus();
  if (Begin() != SQLITE_OK) return PowerIsOff();
  FilePtr file = it->second;
  files_.erase(it);
  file->named = true;
  removed_.erase(from);
  removed_.erase(to);
  files_[to] = std::move(file);
  return absl::OkStatus();
}

absl::Status SimDisk::Remove(const std::string& path) {
  const int code = Delete(path, true);
  return code == SQLITE_OK || code == SQLITE_IOERR_DELETE_NOENT ? absl::OkStatus() : PowerIsOff();
}

std::vector<std::string> SimDisk::List(const std::string& prefix) {
  std::vector<std::string> paths;
  for (const auto& [path, file] : files_)
    if (absl::StartsWith(path, prefix)) paths.push_back(path);
  return paths;
}

}  // namespace skerry::sqlite::testing
