// What SPDY/3 sets its header compression up with.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_SPDY_DICTIONARY_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_SPDY_DICTIONARY_H_

#include <string>

namespace skerry::edged::spdy {

// Section 2.6.10.1 of the SPDY/3 draft, byte for byte.
const std::string& HeaderDictionary();

}  // namespace skerry::edged::spdy

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_SPDY_DICTIONARY_H_
