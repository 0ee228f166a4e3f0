// The least that brings MQTT messages into PostgreSQL: one client, one row a message, one
// transaction a row. What tools/bench/twin compares with.
//   mqtt_insert tcp://127.0.0.1:1883 postgresql:///… <topic filter> <messages>
// Makes the table mqtt_insert, says "ready" when it has subscribed, and ends when it has so many.
#include <MQTTClient.h>

#include <cstdlib>
#include <iostream>
#include <pqxx/pqxx>
#include <string>

#include "absl/strings/numbers.h"

namespace {

constexpr int kQos = 1;
constexpr unsigned long kTimeoutMs = 60000;  // NOLINT: Paho's type.

int Fail(const std::string& what, int code) {
  std::cerr << "mqtt_insert: " << what << ": " << code << "\n";
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  int wanted = 0;
  if (argc != 5 || !absl::SimpleAtoi(argv[4], &wanted)) return Fail("see the head of main.cc", 2);
  pqxx::connection connection(argv[2]);
  pqxx::nontransaction(connection)
      .exec("CREATE TABLE mqtt_insert (topic text, at timestamptz DEFAULT now(), value text)");
  connection.prepare("insert", "INSERT INTO mqtt_insert (topic, value) VALUES ($1, $2)");
  MQTTClient client = nullptr;
  int code =
      MQTTClient_create(&client, argv[1], "mqtt_insert", MQTTCLIENT_PERSISTENCE_NONE, nullptr);
  if (code != MQTTCLIENT_SUCCESS) return Fail("create", code);
  MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
  code = MQTTClient_connect(client, &options);
  if (code != MQTTCLIENT_SUCCESS) return Fail("connect", code);
  code = MQTTClient_subscribe(client, argv[3], kQos);
  if (code != MQTTCLIENT_SUCCESS) return Fail("subscribe", code);
  std::cout << "ready" << std::endl;
  for (int i = 0; i < wanted; ++i) {
    char* topic = nullptr;
    int topic_size = 0;
    MQTTClient_message* message = nullptr;
    code = MQTTClient_receive(client, &topic, &topic_size, &message, kTimeoutMs);
    if (message == nullptr) return Fail("receive", code);
    pqxx::work transaction(connection);
    transaction.exec_prepared0(
        "insert", std::string(topic),
        std::string(static_cast<const char*>(message->payload), message->payloadlen));
    transaction.commit();
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
  }
  MQTTClient_disconnect(client, 0);
  MQTTClient_destroy(&client);
  return EXIT_SUCCESS;
}
