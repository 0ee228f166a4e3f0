// Reads one HTTP/1.1 answer from the bytes of a connection.
#ifndef SKERRY_SERVICES_LIB_HTTP_ANSWER_READER_H_
#define SKERRY_SERVICES_LIB_HTTP_ANSWER_READER_H_

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/lib/http/body_so_far.h"

namespace skerry::http {
// Strict: what could be read in two ways (two lengths, a length and chunks, an encoding other than
// chunked, line ends without CR) is malformed. Answers of 1xx are skipped. Used by one thread.
class AnswerReader {
 public:
  struct Limits {
    size_t body_bytes_max = 1u << 20;
    size_t headers_bytes_max = 64u << 10;
  };
  // For an answer whose body is wanted before all of it is there, or not at all.
  static constexpr size_t kBodyUnbounded = SIZE_MAX;
  enum class State { kMore, kHead, kDone, kTooLarge, kMalformed };

  // `head`: it answers HEAD, and so has no body whatever its headers say. `in_pieces`: Take stops
  // once with kHead, where status and headers are known, and goes on with the next call, which may
  // bring nothing; an answer of 101 has no body then.
  AnswerReader(Limits limits, bool head, bool in_pieces = false);

  // What was received. Nothing may follow any other state than kMore and kHead. Holds at most the
  // limits and what it is given at once.
  State Take(absl::string_view bytes);
  // The server sends no more: kDone where that is how the answer ends, else kMalformed.
  State End();

  // Nothing was received yet.
  bool untouched() const { return !begun_; }
  // 0 until it is known.
  int status() const { return status_; }
  // Why it is kMalformed.
  const std::string& fault() const { return fault_; }

  // From kHead on: the value of the first header of this name; empty where there is none.
  std::string Header(absl::string_view name) const;
  // After kHead: what followed the headers, which then is no part of the answer. Ends it.
  std::string TakeRest() { return std::move(input_); }

  // After kDone. The connection can take another request.
  bool keep_alive() const { return keep_alive_; }
  // As they were sent, without trailers.
  std::vector<std::pair<std::string, std::string>> TakeHeaders() { return std::move(headers_); }
  // In pieces also before: what has come since the last call.
  std::string TakeBody();

 private:
  using Parser = boost::beast::http::response_parser<BodySoFar>;

  void Begin();
  // Takes what it can off the front of `bytes`.
  State Parse(absl::string_view& bytes);
  State OnHeaders();
  State Finish(bool nothing_follows);
  State Malformed(absl::string_view fault);

  const Limits limits_;
  const bool head_;
  const bool in_pieces_;
  std::string input_;  // What could not be parsed yet.
  std::optional<Parser> parser_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string fault_;
  int status_ = 0;
  int interim_ = 0;          // Answers of 1xx so far.
  size_t header_bytes_ = 0;  // Of the answer that is read.
  bool begun_ = false;
  bool headers_done_ = false;
  bool keep_alive_ = false;
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_ANSWER_READER_H_
