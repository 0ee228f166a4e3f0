// Reads one HTTP/1.1 answer from the bytes of a connection.
#ifndef SKERRY_SERVICES_LIB_HTTP_ANSWER_READER_H_
#define SKERRY_SERVICES_LIB_HTTP_ANSWER_READER_H_

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::http {

// Strict: what could be read in two ways (two lengths, a length and chunks, an encoding other than
// chunked, line ends without CR) is malformed. Answers of 1xx are skipped. Used by one thread.
class AnswerReader {
 public:
  struct Limits {
    size_t body_bytes_max = 1u << 20;
    size_t headers_bytes_max = 64u << 10;
  };
  enum class State { kMore, kDone, kTooLarge, kMalformed };

  // `head`: it answers HEAD, and so has no body whatever its headers say.
  AnswerReader(Limits limits, bool head);

  // What was received. Nothing may follow any other state than kMore. Holds at most the limits and
  // what it is given at once.
  State Take(absl::string_view bytes);
  // The server sends no more: kDone where that is how the answer ends, else kMalformed.
  State End();

  // Nothing was received yet.
  bool untouched() const { return !begun_; }
  // 0 until it is known.
  int status() const { return status_; }
  // Why it is kMalformed.
  const std::string& fault() const { return fault_; }

  // After kDone. The connection can take another request.
  bool keep_alive() const { return keep_alive_; }
  // As they were sent, without trailers.
  std::vector<std::pair<std::string, std::string>> TakeHeaders() { return std::move(headers_); }
  std::string TakeBody();

 private:
  using Parser = boost::beast::http::response_parser<boost::beast::http::string_body>;

  void Begin();
  State Parse();
  State OnHeaders();
  State Finish();
  State Malformed(absl::string_view fault);

  const Limits limits_;
  const bool head_;
  boost::beast::flat_buffer input_;
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
