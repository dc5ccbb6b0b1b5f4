// Protocol buffers as Go's text format prints them on one line, which is how they stand in Vitess's
// error texts.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_GO_TEXT_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_GO_TEXT_H_

#include <google/protobuf/message.h>

#include <string>

namespace source_vitess::simulator {

// keyspace:"customer" shard:"-80" table_p_ks:{table_name:"customers"}
std::string GoText(const google::protobuf::Message& message);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_GO_TEXT_H_
