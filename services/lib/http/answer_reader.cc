#include "services/lib/http/answer_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace skerry::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

constexpr int kInterimMax = 8;
// Of the head of a chunk, and of trailers, where the limit of headers is smaller.
constexpr size_t kUnparsedBytesMin = 4u << 10;

absl::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

AnswerReader::AnswerReader(Limits limits, bool head, bool in_pieces)
    : limits_(limits), head_(head), in_pieces_(in_pieces) {
  Begin();
}

void AnswerReader::Begin() {
  parser_.emplace();
  parser_->header_limit(
      static_cast<uint32_t>(std::min<size_t>(limits_.headers_bytes_max, 1u << 30)));
  // Never none: Beast takes that as less than any length.
  parser_->body_limit(static_cast<uint64_t>(limits_.body_bytes_max));
  if (head_) parser_->skip(true);
  header_bytes_ = 0;
  headers_done_ = false;
}

AnswerReader::State AnswerReader::Take(absl::string_view bytes) {
  begun_ = begun_ || !bytes.empty();
  if (input_.empty()) {
    const State state = Parse(bytes);
    input_ = std::string(bytes);
    return state;
  }
  absl::StrAppend(&input_, bytes);
  absl::string_view all = input_;
  const State state = Parse(all);
  input_.erase(0, input_.size() - all.size());
  return state;
}

AnswerReader::State AnswerReader::Parse(absl::string_view& bytes) {
  for (;;) {
    if (headers_done_ && parser_->is_done()) {
      if (status_ / 100 != 1 || status_ == 101) return Finish(bytes.empty());
      Begin();
    }
    if (bytes.empty()) return State::kMore;
    boost::system::error_code error;
    const size_t used = parser_->put(asio::buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(used);
    // What Beast's own limit does not count: fields that arrive one by one; the head of a chunk and
    // trailers, which it takes as a whole.
    if (!headers_done_) header_bytes_ += used;
    if (header_bytes_ > limits_.headers_bytes_max) return State::kTooLarge;
    if (error == beast::http::error::need_more) {
      if (bytes.size() > std::max(limits_.headers_bytes_max, kUnparsedBytesMin))
        return State::kTooLarge;
      if (used == 0) return State::kMore;
      error = {};
    }
    if (error == beast::http::error::body_limit || error == beast::http::error::header_limit) {
      if (parser_->got_some()) status_ = static_cast<int>(parser_->get().result_int());
      return State::kTooLarge;
    }
    if (error) return Malformed(error.message());
    if (headers_done_ || !parser_->is_header_done()) continue;
    if (const State state = OnHeaders(); state != State::kMore) return state;
  }
}

AnswerReader::State AnswerReader::OnHeaders() {
  headers_done_ = true;
  parser_->eager(true);
  const auto& message = parser_->get();
  status_ = static_cast<int>(message.result_int());
  const bool switched = status_ == 101;
  if (switched && !in_pieces_)
    return Malformed("it changes to another protocol, which nobody asked for");
  if (status_ / 100 == 1 && !switched) {
    return ++interim_ > kInterimMax
               ? Malformed(absl::StrCat("more than ", kInterimMax, " answers of 1xx"))
               : State::kMore;
  }
  const auto encoding = message.find(beast::http::field::transfer_encoding);
  if (encoding != message.end() && !absl::EqualsIgnoreCase(View(encoding->value()), "chunked"))
    return Malformed("a transfer encoding other than chunked");
  // Now, as trailers would be added to them.
  for (const auto& field : message)
    headers_.emplace_back(std::string(View(field.name_string())), std::string(View(field.value())));
  return in_pieces_ ? State::kHead : State::kMore;
}

AnswerReader::State AnswerReader::Finish(bool nothing_follows) {
  keep_alive_ = parser_->keep_alive() && nothing_follows;
  return State::kDone;
}

AnswerReader::State AnswerReader::End() {
  if (!begun_) return Malformed("there is none");
  if (!headers_done_) return Malformed("it breaks off");
  boost::system::error_code error;
  parser_->put_eof(error);
  if (error) return Malformed("it breaks off");
  return Finish(input_.empty());
}

AnswerReader::State AnswerReader::Malformed(absl::string_view fault) {
  fault_ = std::string(fault);
  return State::kMalformed;
}

std::string AnswerReader::Header(absl::string_view name) const {
  for (const auto& [each, value] : headers_) {
    if (absl::EqualsIgnoreCase(each, name)) return value;
  }
  return "";
}

std::string AnswerReader::TakeBody() { return std::exchange(parser_->get().body(), {}); }

}  // namespace skerry::http
