#include "services/lib/pipe/pipe.h"

#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace skerry::pipe {
namespace {

// Kept by the reads and writes under way.
class Joint : public std::enable_shared_from_this<Joint> {
 public:
  Joint(std::shared_ptr<ByteStream> a, std::shared_ptr<ByteStream> b,
        absl::AnyInvocable<void(absl::Status)> done)
      : a_(std::move(a)), b_(std::move(b)), done_(std::move(done)) {}

  void Copy(ByteStream& from, ByteStream& to) {
    from.Read([self = shared_from_this(), &from, &to](absl::StatusOr<std::string> bytes) {
      if (!bytes.ok() || bytes->empty()) return self->End(bytes.status());
      to.Write(*std::move(bytes), [self, &from, &to](absl::Status status) {
        if (!status.ok()) return self->End(std::move(status));
        self->Copy(from, to);
      });
    });
  }
  void Start() {
    Copy(*a_, *b_);
    Copy(*b_, *a_);
  }

 private:
  void End(absl::Status status) {
    absl::AnyInvocable<void(absl::Status)> done;
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      ended_ = true;
      done = std::move(done_);
    }
    a_->Close(status);
    b_->Close(status);
    done(std::move(status));
  }

  const std::shared_ptr<ByteStream> a_, b_;
  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::AnyInvocable<void(absl::Status)> done_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

void Join(std::shared_ptr<ByteStream> a, std::shared_ptr<ByteStream> b,
          absl::AnyInvocable<void(absl::Status)> done) {
  std::make_shared<Joint>(std::move(a), std::move(b), std::move(done))->Start();
}

}  // namespace skerry::pipe
