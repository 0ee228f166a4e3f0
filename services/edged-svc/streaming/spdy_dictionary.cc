#include "services/edged-svc/streaming/spdy_dictionary.h"

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace skerry::edged::spdy {
namespace {

// Each behind its length in four bytes.
constexpr absl::string_view kWords =
    "options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-language|"
    "accept-ranges|age|allow|authorization|cache-control|connection|content-base|content-encoding|"
    "content-language|content-length|content-location|content-md5|content-range|content-type|date|"
    "etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|"
    "if-unmodified-since|last-modified|location|max-forwards|pragma|proxy-authenticate|"
    "proxy-authorization|range|referer|retry-after|server|te|trailer|transfer-encoding|upgrade|"
    "user-agent|vary|via|warning|www-authenticate|method|get|status|200 OK|version|HTTP/1.1|url|"
    "public|set-cookie|keep-alive|origin";

// As they are.
constexpr absl::string_view kText =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
    "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,public"
    "privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

}  // namespace

const std::string& HeaderDictionary() {
  static const std::string& dictionary = *new std::string([] {
    std::string text;
    for (const absl::string_view word : absl::StrSplit(kWords, '|')) {
      text.append(3, '\0');
      text.push_back(static_cast<char>(word.size()));
      text.append(word.data(), word.size());
    }
    return text.append(kText.data(), kText.size());
  }());
  return dictionary;
}

}  // namespace skerry::edged::spdy
