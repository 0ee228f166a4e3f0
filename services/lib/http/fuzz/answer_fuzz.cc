// Any bytes as a server's answer, in pieces whose size the first byte tells; the second: of HEAD,
// in pieces.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "services/lib/http/answer_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using skerry::http::AnswerReader;
  if (size < 2) return 0;
  const AnswerReader::Limits limits{.body_bytes_max = 64, .headers_bytes_max = 256};
  const size_t piece = data[0] % 64 + 1;
  absl::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  AnswerReader reader(limits, (data[1] & 1) != 0, (data[1] & 2) != 0);
  auto state = AnswerReader::State::kMore;
  std::string body;
  const auto goes_on = [&state] {
    return state == AnswerReader::State::kMore || state == AnswerReader::State::kHead;
  };
  while (goes_on() && !text.empty()) {
    state = reader.Take(text.substr(0, piece));
    text.remove_prefix(text.size() < piece ? text.size() : piece);
    if ((data[1] & 2) != 0) body += reader.TakeBody();
  }
  if (state == AnswerReader::State::kHead) state = reader.Take("");
  if (state == AnswerReader::State::kMore) state = reader.End();
  if (state != AnswerReader::State::kDone) return 0;
  size_t headers = 0;
  for (const auto& [name, value] : reader.TakeHeaders()) headers += name.size() + value.size();
  body += reader.TakeBody();
  if (headers > limits.headers_bytes_max || body.size() > limits.body_bytes_max) std::abort();
  return 0;
}
