#include "services/edged-svc/docker/docker_images.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/edged-svc/core/docker_bodies.h"
#include "services/edged-svc/core/image_name.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kListTimeout = absl::Seconds(30);
constexpr absl::Duration kRemoveTimeout = absl::Minutes(2);
constexpr absl::Duration kPullTimeout = absl::Minutes(30);

absl::Status OkIfNotFound(absl::Status status) {
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

EngineRequest Get(std::string target) {
  return {.target = std::move(target), .timeout = kListTimeout};
}
EngineRequest Delete(absl::string_view image) {
  return {.method = "DELETE",
          .target = absl::StrCat("/images/", EscapeForTarget(image)),
          .timeout = kRemoveTimeout};
}

// Docker looks a name up among the beginnings of ids, too: "beef" would be any image whose id
// begins with it. A name in full is none.
EngineRequest Inspect(absl::string_view image) {
  return Get(
      absl::StrCat("/images/",
                   EscapeForTarget(absl::StartsWith(image, "sha256:") ? std::string(image)
                                                                      : FullImageName(image)),
                   "/json"));
}

std::set<std::string> FullNames(const DockerImage& image) {
  std::set<std::string> out;
  for (const auto* names : {&image.names, &image.digests}) {
    for (const std::string& name : *names) out.insert(FullImageName(name));
  }
  return out;
}

}  // namespace

// Of engine's own thread, then of disk_engine's.
struct DockerImages::PullWork {
  DockerEngine& engine;
  DockerEngine& disk_engine;
  std::shared_ptr<PulledImageFile> pulled;
  std::string image;  // In full: without tag or digest Docker would pull every tag.
  std::vector<RegistryAuth> auths;
  std::set<std::string> before;  // Ids of the images that there were.
  Runtime::Done done;
};

absl::Status DockerImages::EnsureSandboxImage() {
  const absl::Status found = engine_.Call(Inspect(sandbox_image_)).status();
  if (!absl::IsNotFound(found)) return found;
  absl::Mutex done_mutex;
  std::optional<absl::Status> done;
  Pull(sandbox_image_, {}, [&](absl::Status status) {
    absl::MutexLock lock(&done_mutex);
    done = std::move(status);
  });
  absl::MutexLock lock(&done_mutex);
  done_mutex.Await(absl::Condition(
      +[](std::optional<absl::Status>* status) { return status->has_value(); }, &done));
  return Annotate(*done, absl::StrCat("sandbox image ", sandbox_image_));
}

absl::StatusOr<std::optional<ImageView>> DockerImages::Find(absl::string_view image) {
  const absl::StatusOr<std::string> answer = engine_.Call(Inspect(image));
  if (absl::IsNotFound(answer.status())) return std::nullopt;
  SKERRY_RETURN_IF_ERROR(answer.status());
  SKERRY_ASSIGN_OR_RETURN(const DockerImage parsed, ParseDockerImage(*answer));
  return ToImageView(parsed);
}

void DockerImages::Pull(absl::string_view image, std::vector<RegistryAuth> auths,
                        Runtime::Done done) {
  auto work = std::make_shared<PullWork>(PullWork{
      engine_, disk_engine_, pulled_, FullImageName(image), std::move(auths), {}, std::move(done)});
  engine_.Call(Get("/images/json"), [work](absl::StatusOr<std::string> answer) {
    if (!answer.ok()) return work->done(answer.status());
    const absl::StatusOr<std::vector<DockerImage>> images = ParseDockerImages(*answer);
    if (!images.ok()) return work->done(images.status());
    for (const DockerImage& there : *images) work->before.insert(there.id);
    TryPull(work, 0);
  });
}

void DockerImages::TryPull(const std::shared_ptr<PullWork>& work, size_t next) {
  EngineRequest request{
      .method = "POST",
      .target = absl::StrCat("/images/create?fromImage=", EscapeForTarget(work->image)),
      .timeout = kPullTimeout};
  if (next < work->auths.size())
    request.headers.emplace_back("X-Registry-Auth", AuthHeader(work->auths[next]));
  auto progress = std::make_shared<DockerPullReader>();
  work->engine.Read(
      std::move(request),
      [progress](absl::string_view piece) {
        progress->Put(piece);
        return true;
      },
      [progress, next, work](absl::Status status) {
        if (status.ok()) status = progress->status();
        if (status.ok()) return Remember(work);
        if (absl::IsCancelled(status) || next + 1 >= work->auths.size())
          return work->done(std::move(status));
        TryPull(work, next + 1);
      });
}

void DockerImages::Remember(const std::shared_ptr<PullWork>& work) {
  work->engine.Call(Inspect(work->image), [work](absl::StatusOr<std::string> answer) {
    const absl::StatusOr<DockerImage> image =
        answer.ok() ? ParseDockerImage(*answer) : answer.status();
    if (!image.ok()) return work->done(image.status());
    work->disk_engine.After(absl::ZeroDuration(), [work, id = image->id](const absl::Status&) {
      work->pulled->Add(id, work->image, work->before);
      work->done(absl::OkStatus());
    });
  });
}

absl::StatusOr<std::set<std::string>> DockerImages::InUse() {
  SKERRY_ASSIGN_OR_RETURN(const std::string answer, engine_.Call(Get("/containers/json?all=1")));
  SKERRY_ASSIGN_OR_RETURN(const std::vector<DockerListed> listed, ParseDockerList(answer));
  std::set<std::string> in_use;
  for (const DockerListed& container : listed) in_use.insert(container.image_id);
  return in_use;
}

absl::StatusOr<std::vector<StoredImage>> DockerImages::List() {
  const uint64_t generation = pulled_->generation();
  SKERRY_ASSIGN_OR_RETURN(const std::string answer, engine_.Call(Get("/images/json")));
  SKERRY_ASSIGN_OR_RETURN(const std::vector<DockerImage> images, ParseDockerImages(answer));
  // After the images: a container that is made meanwhile is seen.
  SKERRY_ASSIGN_OR_RETURN(const std::set<std::string> in_use, InUse());
  SKERRY_ASSIGN_OR_RETURN(const std::optional<ImageView> sandbox, Find(sandbox_image_));
  std::vector<StoredImage> out;
  std::set<std::string> ids;
  for (const DockerImage& image : images) {
    const std::set<std::string> names = FullNames(image);
    StoredImage& stored = out.emplace_back();
    stored.id = image.id;
    stored.names.assign(names.begin(), names.end());
    stored.size_bytes = image.size_bytes;
    stored.pinned = sandbox.has_value() && sandbox->id == image.id;
    stored.used = in_use.contains(image.id);
    stored.foreign = !pulled_->Owns(image.id, names);
    ids.insert(image.id);
  }
  pulled_->Retain(ids, generation);
  return out;
}

absl::Status DockerImages::Remove(absl::string_view id) {
  const absl::StatusOr<std::string> answer = engine_.Call(Inspect(id));
  if (!answer.ok()) return OkIfNotFound(answer.status());
  SKERRY_ASSIGN_OR_RETURN(const DockerImage image, ParseDockerImage(*answer));
  if (!pulled_->Owns(image.id, FullNames(image))) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 "the image was not pulled by edged, or has got a name since")
        .Reason("IMAGE_IS_FOREIGN");
  }
  // Docker would take its names away one by one, and then keep the last.
  SKERRY_ASSIGN_OR_RETURN(const std::set<std::string> in_use, InUse());
  if (in_use.contains(image.id)) {
    return Error(absl::StatusCode::kFailedPrecondition, "a container uses the image")
        .Reason("IMAGE_IN_USE");
  }
  // By name: by its id Docker refuses to remove one that has several.
  for (const std::string& name : image.names)
    SKERRY_RETURN_IF_ERROR(OkIfNotFound(engine_.Call(Delete(name)).status()));
  return OkIfNotFound(engine_.Call(Delete(id)).status());
}

}  // namespace skerry::edged
