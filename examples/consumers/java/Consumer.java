import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Follows what becomes of invitations, and keeps each event once: {@code java Consumer FILE}. */
public final class Consumer {
  static final List<String> TOPICS =
      List.of("clinic.appointments.v1", "clinic.invitations.outcomes.v1");
  static final String LINE = "{\"id\": \"%s\", \"type\": \"%s\", \"data\": %s}\n";

  /** For ever. Whatever ends it, nothing is lost or kept twice the next time. */
  public static void main(String[] arguments) throws IOException {
    Path kept = Path.of(arguments[0]);
    Set<String> seen = new HashSet<>(); // yours: a primary key
    if (Files.exists(kept)) {
      String text = Files.readString(kept);
      String whole = text.substring(0, text.lastIndexOf('\n') + 1); // of a line cut off: nothing
      Files.writeString(kept, whole);
      whole.lines().forEach(line -> seen.add(line.split("\"")[3]));
    }
    var strings = new StringDeserializer();
    try (var file = new FileOutputStream(kept.toFile(), true);
        var consumer = new KafkaConsumer<>(settings(System.getenv()), strings, strings)) {
      stopWhenTold(consumer);
      consumer.subscribe(TOPICS);
      while (true) {
        for (var event : consumer.poll(Duration.ofSeconds(1))) {
          String id = header(event, "ce_id"); // the same when an event comes again
          if (seen.add(id)) { // kinds that you do not know: pass over them
            String line = LINE.formatted(id, header(event, "ce_type"), event.value());
            file.write(line.getBytes(UTF_8));
          }
        }
        file.getFD().sync(); // first kept, then committed: else it could be lost
        consumer.commitSync();
      }
    } catch (WakeupException told) {
      // The group knows how far it is.
    }
  }

  static Map<String, Object> settings(Map<String, String> env) {
    var login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
        + " username=\"" + env.get("KAFKA_USERNAME") + "\""
        + " password=\"" + env.get("KAFKA_PASSWORD") + "\";";
    return Map.of(
        "bootstrap.servers", env.get("KAFKA_BOOTSTRAP"),
        "security.protocol", env.getOrDefault("KAFKA_SECURITY", "SASL_SSL"),
        "sasl.mechanism", "SCRAM-SHA-512",
        "sasl.jaas.config", login,
        "group.id", env.getOrDefault("KAFKA_GROUP", "reader-example-java"), // has to begin so
        "auto.offset.reset", "earliest", // the first time; then it resumes where it committed
        "enable.auto.commit", "false");
  }

  static void stopWhenTold(KafkaConsumer<?, ?> consumer) {
    Thread main = Thread.currentThread();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      consumer.wakeup();
      try { main.join(); } catch (InterruptedException hurried) { /* it ends anyway */ }
    }));
  }

  static String header(ConsumerRecord<?, ?> event, String name) {
    return new String(event.headers().lastHeader(name).value(), UTF_8);
  }
}
