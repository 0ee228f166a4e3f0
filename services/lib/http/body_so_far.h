// A body for Beast's parsers. Internal to this folder.
#ifndef SKERRY_SERVICES_LIB_HTTP_BODY_SO_FAR_H_
#define SKERRY_SERVICES_LIB_HTTP_BODY_SO_FAR_H_

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional/optional.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

namespace skerry::http {

// A body as far as it has come. Unlike Beast's string_body it reserves nothing because of what a
// peer says of its length.
struct BodySoFar {
  using value_type = std::string;
  class reader {  // NOLINT(readability-identifier-naming): Beast's name
   public:
    template <bool is_request, typename Fields>
    reader(boost::beast::http::header<is_request, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<uint64_t>&, boost::system::error_code& error) { error = {}; }
    template <typename Buffers>
    size_t put(const Buffers& buffers, boost::system::error_code& error) {
      size_t bytes = 0;
      for (const auto each : boost::beast::buffers_range_ref(buffers)) {
        body_.append(static_cast<const char*>(each.data()), each.size());
        bytes += each.size();
      }
      error = {};
      return bytes;
    }
    void finish(boost::system::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_BODY_SO_FAR_H_
