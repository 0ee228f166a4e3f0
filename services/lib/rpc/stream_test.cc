// Streams over real in-process servers: order, bounds, ends. One piece, because all four reactors
// share the machine under test and the fixture.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/bidi_client.h"
#include "services/lib/rpc/bidi_server.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/server.h"
#include "services/lib/rpc/server_reader_client.h"
#include "services/lib/rpc/server_writer.h"

namespace skerry::rpc {
namespace {

namespace hub = skerry::edgehub::v1;
namespace meta = skerry::meta::v1;

constexpr absl::Duration kPatience = absl::Seconds(30);

// Collects what one end of a stream is told; checks that it is told by one thread at a time.
template <typename In>
class Recorder : public std::enable_shared_from_this<Recorder<In>> {
 public:
  StreamEvents<In> Events() {
    auto self = this->shared_from_this();
    return {.on_message = [self](In message) { self->Add(std::move(message)); },
            .on_closed = [self](absl::Status status) { self->Close(std::move(status)); },
            .on_drained = [self] { self->Drained(); }};
  }

  bool WaitForMessages(size_t count) {
    absl::MutexLock lock(&mutex_);
    auto enough = [this, count]()
                      ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return messages_.size() >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
  }
  absl::Status WaitForClose(absl::Duration patience = kPatience) {
    if (!closed_.WaitForNotificationWithTimeout(patience))
      return absl::InternalError("never closed");
    absl::MutexLock lock(&mutex_);
    return status_;
  }
  std::vector<In> messages() {
    absl::MutexLock lock(&mutex_);
    return messages_;
  }
  bool overlapped() const { return overlapped_.load(); }

 private:
  struct Inside {
    explicit Inside(Recorder& recorder) : recorder_(recorder) {
      if (recorder_.inside_.exchange(true)) recorder_.overlapped_.store(true);
    }
    ~Inside() { recorder_.inside_.store(false); }
    Recorder& recorder_;
  };

  void Add(In message) {
    Inside inside(*this);
    absl::MutexLock lock(&mutex_);
    messages_.push_back(std::move(message));
  }
  void Drained() { Inside inside(*this); }
  void Close(absl::Status status) {
    Inside inside(*this);
    {
      absl::MutexLock lock(&mutex_);
      status_ = std::move(status);
    }
    closed_.Notify();  // A second call would abort: on_closed comes once.
  }

  absl::Mutex mutex_;
  std::vector<In> messages_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  absl::Notification closed_;
  std::atomic<bool> inside_ = false;
  std::atomic<bool> overlapped_ = false;
};

// A hub whose behaviour each test gives.
class FakeHub final : public hub::SpokeService::CallbackService {
 public:
  using Accept = std::function<StreamEvents<hub::SpokeFrame>(
      const CallScope&, std::shared_ptr<Stream<hub::HubFrame>>)>;

  grpc::ServerBidiReactor<hub::SpokeFrame, hub::HubFrame>* Attach(
      grpc::CallbackServerContext* context) override {
    return AcceptBidi<hub::SpokeFrame, hub::HubFrame>(context, options, accept);
  }

  StreamOptions options;
  Accept accept;
};

class FakeMeta final : public meta::MetaService::CallbackService {
 public:
  using Accept = std::function<WriterEvents(const CallScope&,
                                            std::shared_ptr<Stream<meta::WatchObjectsResponse>>)>;

  grpc::ServerWriteReactor<meta::WatchObjectsResponse>* WatchObjects(
      grpc::CallbackServerContext* context, const meta::WatchObjectsRequest* request) override {
    types.assign(request->types().begin(), request->types().end());
    return AcceptWriter<meta::WatchObjectsResponse>(context, options, accept);
  }

  StreamOptions options;
  Accept accept;
  std::vector<std::string> types;
};

class StreamTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/skerry_stream_XXXXXX";
    folder_ = mkdtemp(folder);
    auto server =
        Server::Create({.listen = absl::StrCat("unix:", folder_, "/s.sock")}, {&hub_, &meta_});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    hub_stub_ = hub::SpokeService::NewStub(Channel());
    meta_stub_ = meta::MetaService::NewStub(Channel());
  }
  void TearDown() override {
    server_.reset();
    unlink((folder_ + "/s.sock").c_str());
    rmdir(folder_.c_str());
  }

  std::shared_ptr<grpc::Channel> Channel() {
    return *MakeChannel({.target = server_->address(), .own_connection = true});
  }

  std::shared_ptr<Stream<hub::SpokeFrame>> Dial(StreamEvents<hub::HubFrame> events,
                                                StreamOptions options = {}) {
    return DialBidi<hub::HubFrame, hub::SpokeFrame>(
        [this](auto* context, auto* reactor) { hub_stub_->async()->Attach(context, reactor); },
        options, std::move(events));
  }

  std::shared_ptr<StreamControl> Watch(StreamEvents<meta::WatchObjectsResponse> events,
                                       StreamOptions options = {}) {
    meta::WatchObjectsRequest request;
    request.add_types("pods");
    return DialReader<meta::WatchObjectsRequest, meta::WatchObjectsResponse>(
        request,
        [this](auto* context, auto* req, auto* reactor) {
          meta_stub_->async()->WatchObjects(context, req, reactor);
        },
        options, std::move(events));
  }

  std::string folder_;
  FakeHub hub_;
  FakeMeta meta_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<hub::SpokeService::Stub> hub_stub_;
  std::unique_ptr<meta::MetaService::Stub> meta_stub_;
};

hub::SpokeFrame Numbered(uint64_t number) {
  hub::SpokeFrame frame;
  frame.mutable_resource_done()->set_sequence(number);
  return frame;
}

hub::HubFrame Large(size_t bytes) {
  hub::HubFrame frame;
  frame.mutable_registered()->set_node(std::string(bytes, 'x'));
  return frame;
}

meta::WatchObjectsResponse Event(const std::string& token, size_t bytes = 0) {
  meta::WatchObjectsResponse event;
  event.set_resume_token(token);
  event.mutable_upserted()->set_object(std::string(bytes, 'x'));
  return event;
}

TEST_F(StreamTest, KeepsOrderOnManyStreamsWithManyWriters) {
  constexpr int kStreams = 8;
  constexpr int kMessages = 5000;
  hub_.accept = [](const CallScope&, std::shared_ptr<Stream<hub::HubFrame>> stream) {
    return StreamEvents<hub::SpokeFrame>{.on_message = [stream](hub::SpokeFrame frame) {
      hub::HubFrame echo;
      echo.mutable_report_stored()->set_request_id(frame.resource_done().sequence());
      EXPECT_TRUE(stream->Send(echo));
    }};
  };
  std::vector<std::shared_ptr<Recorder<hub::HubFrame>>> recorders;
  std::vector<std::shared_ptr<Stream<hub::SpokeFrame>>> streams;
  for (int i = 0; i < kStreams; ++i) {
    recorders.push_back(std::make_shared<Recorder<hub::HubFrame>>());
    streams.push_back(Dial(recorders.back()->Events()));
  }
  std::vector<std::thread> writers;
  for (auto& stream : streams) {
    writers.emplace_back([&stream] {
      for (int n = 1; n <= kMessages; ++n) ASSERT_TRUE(stream->Send(Numbered(n)));
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (int i = 0; i < kStreams; ++i) {
    ASSERT_TRUE(recorders[i]->WaitForMessages(kMessages));
    streams[i]->Close(absl::OkStatus());
    EXPECT_EQ(recorders[i]->WaitForClose(), absl::OkStatus());
    EXPECT_FALSE(recorders[i]->overlapped());
    EXPECT_EQ(streams[i]->pending_bytes(), 0u);
    EXPECT_FALSE(streams[i]->Send(Numbered(1))) << "the stream is over";
    std::vector<hub::HubFrame> got = recorders[i]->messages();
    ASSERT_EQ(got.size(), static_cast<size_t>(kMessages));
    for (int n = 1; n <= kMessages; ++n)
      ASSERT_EQ(got[n - 1].report_stored().request_id(), static_cast<uint64_t>(n));
  }
}

TEST_F(StreamTest, TellsOfEachMessageThatWasWritten) {
  absl::BlockingCounter by_server(3), by_client(5);
  hub_.accept = [&](const CallScope&, std::shared_ptr<Stream<hub::HubFrame>> stream) {
    for (int i = 0; i < 3; ++i) stream->Send(Large(1000));
    return StreamEvents<hub::SpokeFrame>{.on_written = [&] { by_server.DecrementCount(); }};
  };
  auto recorder = std::make_shared<Recorder<hub::HubFrame>>();
  StreamEvents<hub::HubFrame> events = recorder->Events();
  events.on_written = [&] { by_client.DecrementCount(); };
  auto stream = Dial(std::move(events));
  for (int i = 0; i < 5; ++i) stream->Send(Numbered(1));
  by_server.Wait();
  by_client.Wait();
  stream->Close(absl::OkStatus());
  EXPECT_EQ(recorder->WaitForClose(), absl::OkStatus());
}

TEST_F(StreamTest, SendsWhatIsPendingBeforeTheStatusOfClose) {
  hub_.accept = [](const CallScope&, std::shared_ptr<Stream<hub::HubFrame>> stream) {
    for (int i = 0; i < 100; ++i) stream->Send(Large(1000));
    stream->Close(Error(absl::StatusCode::kUnavailable, "going down").Reason("DRAINING"));
    EXPECT_FALSE(stream->Send(Large(1)));
    return StreamEvents<hub::SpokeFrame>{};
  };
  auto recorder = std::make_shared<Recorder<hub::HubFrame>>();
  auto stream = Dial(recorder->Events());
  absl::Status status = recorder->WaitForClose();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(GetErrorInfo(status).reason, "DRAINING");
  EXPECT_EQ(recorder->messages().size(), 100u);
}

TEST_F(StreamTest, TellsTheServerOfHalfCloseAndOfCancel) {
  absl::Mutex mutex;
  std::vector<std::shared_ptr<Recorder<hub::SpokeFrame>>> sides;
  hub_.accept = [&](const CallScope&, std::shared_ptr<Stream<hub::HubFrame>> stream) {
    absl::MutexLock lock(&mutex);
    sides.push_back(std::make_shared<Recorder<hub::SpokeFrame>>());
    stream->Send(Large(1));
    return sides.back()->Events();
  };
  auto first = std::make_shared<Recorder<hub::HubFrame>>();
  auto half_closed = Dial(first->Events());
  ASSERT_TRUE(first->WaitForMessages(1));
  half_closed->Close(absl::OkStatus());
  EXPECT_EQ(first->WaitForClose(), absl::OkStatus());

  auto second = std::make_shared<Recorder<hub::HubFrame>>();
  auto cancelled = Dial(second->Events());
  ASSERT_TRUE(second->WaitForMessages(1));
  cancelled->Close(absl::AbortedError("changed my mind"));
  EXPECT_EQ(second->WaitForClose().code(), absl::StatusCode::kAborted);

  std::vector<std::shared_ptr<Recorder<hub::SpokeFrame>>> servers;
  {
    absl::MutexLock lock(&mutex);
    servers = sides;
  }
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[0]->WaitForClose(), absl::OkStatus());
  EXPECT_EQ(servers[1]->WaitForClose().code(), absl::StatusCode::kCancelled);
}

TEST_F(StreamTest, CutsASlowReaderAtTheBound) {
  hub_.options.pending_bytes_max = 1 << 20;
  hub_.options.close_timeout = absl::Milliseconds(300);
  auto server_side = std::make_shared<Recorder<hub::SpokeFrame>>();
  absl::Notification refused;
  hub_.accept = [&](const CallScope&, std::shared_ptr<Stream<hub::HubFrame>> stream) {
    while (stream->Send(Large(64 << 10))) {
      EXPECT_LE(stream->pending_bytes(), size_t{1} << 20);
    }
    refused.Notify();
    return server_side->Events();
  };
  // The client takes one message and no more, until the stream is cut.
  auto client = std::make_shared<Recorder<hub::HubFrame>>();
  std::atomic<bool> cut = false;
  std::shared_ptr<Stream<hub::SpokeFrame>> stream;
  StreamEvents<hub::HubFrame> events = client->Events();
  events.on_message = [&, record = events.on_message](hub::HubFrame frame) {
    record(std::move(frame));
    if (cut) stream->Consumed();
  };
  stream = Dial(std::move(events), {.unconsumed_max = 1});
  ASSERT_TRUE(refused.WaitForNotificationWithTimeout(kPatience));
  absl::Status why = server_side->WaitForClose();
  EXPECT_EQ(why.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(GetErrorInfo(why).reason, "SLOW_READER");
  cut = true;
  stream->Consumed();
  // Whether it took the end in time, or was cut.
  const absl::StatusCode end = client->WaitForClose().code();
  EXPECT_TRUE(end == absl::StatusCode::kResourceExhausted || end == absl::StatusCode::kCancelled);
}

TEST_F(StreamTest, PausesReadingUntilConsumed) {
  absl::Mutex mutex;
  std::shared_ptr<Stream<hub::HubFrame>> server_stream;
  hub_.accept = [&](const CallScope&, std::shared_ptr<Stream<hub::HubFrame>> stream) {
    for (int i = 0; i < 10; ++i) stream->Send(Large(10));
    return StreamEvents<hub::SpokeFrame>{};
  };
  auto client = std::make_shared<Recorder<hub::HubFrame>>();
  auto stream = Dial(client->Events(), {.unconsumed_max = 2});
  for (size_t n = 2; n <= 10; ++n) {
    ASSERT_TRUE(client->WaitForMessages(n));
    EXPECT_LE(client->messages().size(), n) << "read ahead of the consumer";
    stream->Consumed();
  }
  stream->Close(absl::OkStatus());
  EXPECT_EQ(client->WaitForClose(), absl::OkStatus());
}

TEST_F(StreamTest, AClosedAndPausedClientStreamStillEnds) {
  hub_.accept = [&](const CallScope&, std::shared_ptr<Stream<hub::HubFrame>> stream) {
    for (int i = 0; i < 10; ++i) stream->Send(Large(10));
    return StreamEvents<hub::SpokeFrame>{};
  };
  auto client = std::make_shared<Recorder<hub::HubFrame>>();
  auto stream = Dial(client->Events(), {.unconsumed_max = 1});
  ASSERT_TRUE(client->WaitForMessages(1));
  stream->Close(absl::CancelledError("enough"));
  EXPECT_EQ(client->WaitForClose().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(client->messages().size(), 1u) << "nothing is delivered after a Close with an error";
}

TEST_F(StreamTest, ShutdownEndsOpenStreamsAtTheDeadline) {
  auto server_side = std::make_shared<Recorder<hub::SpokeFrame>>();
  auto watch_closed = std::make_shared<absl::Notification>();
  std::shared_ptr<Stream<hub::HubFrame>> kept;
  hub_.accept = [&](const CallScope&, std::shared_ptr<Stream<hub::HubFrame>> stream) {
    kept = stream;
    stream->Send(Large(1));
    return server_side->Events();
  };
  meta_.accept = [&](const CallScope&, std::shared_ptr<Stream<meta::WatchObjectsResponse>> stream) {
    stream->Send(Event("1"));
    return WriterEvents{
        .on_closed = [stream, watch_closed](absl::Status) { watch_closed->Notify(); }};
  };
  auto client = std::make_shared<Recorder<hub::HubFrame>>();
  auto stream = Dial(client->Events());
  auto watcher = std::make_shared<Recorder<meta::WatchObjectsResponse>>();
  auto watch = Watch(watcher->Events());
  ASSERT_TRUE(client->WaitForMessages(1));
  ASSERT_TRUE(watcher->WaitForMessages(1));
  absl::Time start = absl::Now();
  server_->Shutdown(start +
                    absl::Milliseconds(200));  // gRPC waits for ever if a call is left unfinished.
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  EXPECT_EQ(server_side->WaitForClose().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(watch_closed->HasBeenNotified());
  EXPECT_FALSE(client->WaitForClose().ok());
  EXPECT_FALSE(watcher->WaitForClose().ok());
  EXPECT_FALSE(kept->Send(Large(1)));
  kept->Close(absl::OkStatus());
}

TEST_F(StreamTest, ShutdownEndsAStreamWhoseReaderIsStuck) {
  hub_.options.close_timeout = absl::Seconds(60);  // Only the shutdown may end it here.
  auto server_side = std::make_shared<Recorder<hub::SpokeFrame>>();
  hub_.accept = [&](const CallScope&, std::shared_ptr<Stream<hub::HubFrame>> stream) {
    for (int i = 0; i < 50; ++i) stream->Send(Large(100 << 10));
    stream->Close(Error(absl::StatusCode::kUnavailable, "going down").Reason("DRAINING"));
    return server_side->Events();
  };
  auto client = std::make_shared<Recorder<hub::HubFrame>>();
  auto stream = Dial(client->Events(), {.unconsumed_max = 1});
  ASSERT_TRUE(client->WaitForMessages(1));
  absl::Time start = absl::Now();
  server_->Shutdown(start + absl::Milliseconds(200));
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  EXPECT_EQ(server_side->WaitForClose(), absl::OkStatus()) << "it was closed by the server";
  stream->Close(absl::CancelledError("enough"));
  EXPECT_EQ(client->WaitForClose().code(), absl::StatusCode::kCancelled);
}

TEST_F(StreamTest, WatchDeliversInOrderThenItsStatus) {
  std::thread writer;
  auto drained = std::make_shared<absl::Notification>();
  meta_.accept = [&](const CallScope&, std::shared_ptr<Stream<meta::WatchObjectsResponse>> stream) {
    writer = std::thread([stream] {
      for (int i = 0; i < 1000; ++i) EXPECT_TRUE(stream->Send(Event(absl::StrCat(i), 100)));
      stream->Close(Error(absl::StatusCode::kOutOfRange, "too old").Reason("RESUME_TOKEN_EXPIRED"));
    });
    return WriterEvents{};
  };
  auto watcher = std::make_shared<Recorder<meta::WatchObjectsResponse>>();
  auto watch = Watch(watcher->Events());
  absl::Status status = watcher->WaitForClose();
  writer.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(GetErrorInfo(status).reason, "RESUME_TOKEN_EXPIRED");
  auto events = watcher->messages();
  ASSERT_EQ(events.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(events[i].resume_token(), absl::StrCat(i));
  EXPECT_EQ(meta_.types, std::vector<std::string>{"pods"});
}

TEST_F(StreamTest, ClosingAWatchCancelsItAtTheServer) {
  auto closed = std::make_shared<Recorder<hub::SpokeFrame>>();
  meta_.accept = [&](const CallScope& scope,
                     std::shared_ptr<Stream<meta::WatchObjectsResponse>> stream) {
    stream->Send(Event("1"));
    auto cancelled = scope.cancelled;
    auto on_closed = closed->Events().on_closed;
    return WriterEvents{.on_closed = [=](absl::Status status) {
      EXPECT_TRUE(cancelled->load());
      on_closed(std::move(status));
    }};
  };
  auto watcher = std::make_shared<Recorder<meta::WatchObjectsResponse>>();
  auto watch = Watch(watcher->Events());
  ASSERT_TRUE(watcher->WaitForMessages(1));
  watch->Close(absl::CancelledError("enough"));
  EXPECT_EQ(watcher->WaitForClose().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(closed->WaitForClose().code(), absl::StatusCode::kCancelled);
}

TEST_F(StreamTest, DialToNobodyClosesUnavailable) {
  std::string nobody = absl::StrCat("unix:", folder_, "/nobody.sock");
  auto stub = hub::SpokeService::NewStub(*MakeChannel({.target = nobody}));
  auto client = std::make_shared<Recorder<hub::HubFrame>>();
  auto stream = DialBidi<hub::HubFrame, hub::SpokeFrame>(
      [&](auto* context, auto* reactor) { stub->async()->Attach(context, reactor); }, {},
      client->Events());
  stub.reset();
  stream->Send(Numbered(1));
  EXPECT_EQ(client->WaitForClose().code(), absl::StatusCode::kUnavailable);
}

TEST_F(StreamTest, HandlersAreReleasedAfterTheEnd) {
  auto token = std::make_shared<int>(1);
  std::weak_ptr<int> watched_token = token;
  hub_.accept = [](const CallScope&, std::shared_ptr<Stream<hub::HubFrame>> stream) {
    stream->Close(absl::OkStatus());
    return StreamEvents<hub::SpokeFrame>{};
  };
  absl::Notification closed;
  auto stream = Dial({.on_message = [token](hub::HubFrame) {},
                      .on_closed = [&](absl::Status) { closed.Notify(); }});
  token.reset();
  ASSERT_TRUE(closed.WaitForNotificationWithTimeout(kPatience));
  absl::Time limit = absl::Now() + kPatience;
  while (!watched_token.expired() && absl::Now() < limit) std::this_thread::yield();
  EXPECT_TRUE(watched_token.expired());
}

}  // namespace
}  // namespace skerry::rpc
