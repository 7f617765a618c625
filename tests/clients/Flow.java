// From a key to a tick with clients made from OpenAPI alone; each line told is a step that held.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import scheduling.AppointmentsApi;
import scheduling.InvitationsApi;
import scheduling.TokensApi;
import scheduling.client.ApiClient;
import scheduling.client.ApiException;
import scheduling.client.ApiResponse;
import scheduling.model.AppointmentView;
import scheduling.model.Change;
import scheduling.model.ChangedView;
import scheduling.model.ChangesView;
import scheduling.model.Channel;
import scheduling.model.FieldError;
import scheduling.model.NewAppointment;
import scheduling.model.Problem;
import scheduling.model.Resend;
import scheduling.model.TombstoneView;
import status.model.IndicatorView;
import status.model.State;

public final class Flow {
  static final String RUN = "java-" + ProcessHandle.current().pid() + "-" + System.nanoTime();

  public static void main(String[] arguments) throws Exception {
    var client = client();
    var key = needed("EINLADUNG_KEY_ID") + ":" + needed("EINLADUNG_KEY_SECRET");
    authorized(client, "Basic " + Base64.getEncoder().encodeToString(key.getBytes(StandardCharsets.UTF_8)));
    var exchanged = new TokensApi(client).issueToken("client_credentials", null);
    var bearer = "Bearer " + exchanged.getAccessToken();
    authorized(client, bearer);
    var appointments = new AppointmentsApi(client);
    System.out.println("token");

    var stream = stream(bearer);
    var first = stream.lines().filter(line -> line.startsWith("event: ")).findFirst();
    check(first.equals(Optional.of("event: ready")), first);

    var refusal = refusal(422, () -> appointments.createAppointment(visit("nobody").durationMinutes(481), null));
    var fields = refusal.getErrors().stream().map(FieldError::getField).toList();
    check(fields.equals(List.of("email", "duration_minutes")), fields);
    System.out.println("refused");

    var invitation = visit("unbekannt@" + RUN + ".example.org");
    var created = appointments.createAppointmentWithHttpInfo(invitation, RUN);
    var again = appointments.createAppointmentWithHttpInfo(invitation, RUN);
    var visit = (AppointmentView) created.getData().getActualInstance();
    var id = visit.getId();
    check(((AppointmentView) again.getData().getActualInstance()).getId().equals(id), "one");
    check(header(again, "Idempotent-Replayed").equals("true"), again.getHeaders());
    shown(stream, id, State.FAILED, 1);
    System.out.println("failed");

    var resend = new Resend().email(RUN + "@example.org");
    var resent = new InvitationsApi(client).resendInvitationWithHttpInfo(id, resend, null, null);
    check(resent.getStatusCode() == 202, resent.getStatusCode());
    shown(stream, id, State.DELIVERED, 2);
    System.out.println("delivered");

    var move = new Change().time("15:45").notify(false);
    refusal(412, () -> appointments.changeAppointment(id, move, header(created, "ETag")));
    var current = appointments.readAppointmentWithHttpInfo(id);
    var moved = appointments.changeAppointment(id, move, header(current, "ETag"));
    check(((AppointmentView) moved.getActualInstance()).getTime().equals("15:45"), moved);
    System.out.println("moved");

    check(refusal(403, () -> appointments.eraseAppointment(id, null)).getNeeded() != null, "needed");
    System.out.println("not erased");

    check(changed(appointments, visit.getUpdatedAt(), id) instanceof ChangedView, "it is there");
    appointments.deleteAppointment(id, null, null);
    check(changed(appointments, visit.getUpdatedAt(), id) instanceof TombstoneView, "it is gone");
    System.out.println("cancelled");
    System.exit(0); // the stream has no end
  }

  static ApiClient client() {
    var url = needed("EINLADUNG_SCHEDULING");
    return new ApiClient(HttpClient.newBuilder(), ApiClient.createDefaultObjectMapper(), url);
  }

  static void authorized(ApiClient client, String value) {
    client.setRequestInterceptor(request -> request.setHeader("Authorization", value));
  }

  static NewAppointment visit(String email) {
    return new NewAppointment()
        .patientName("Jana Java").channels(List.of(Channel.EMAIL)).email(email)
        .date(LocalDate.now().plusDays(2)).time("10:00").durationMinutes(20)
        .consent(NewAppointment.ConsentEnum.TRUE);
  }

  /** What the appointment is among all that changed, page by page. */
  static Object changed(AppointmentsApi api, OffsetDateTime since, UUID id) throws ApiException {
    for (String cursor = null;;) {
      var page = (ChangesView) api
          .listAppointments(null, null, null, null, since, 1, cursor, null, null, null, null)
          .getActualInstance();
      for (var each : page.getAppointments()) {
        var found = each.getActualInstance();
        if (found instanceof ChangedView there && there.getId().equals(id)) return found;
        if (found instanceof TombstoneView gone && gone.getId().equals(id)) return found;
      }
      cursor = page.getNext();
      check(cursor != null, "it is among what changed");
    }
  }

  /** The generated method reads to the end, which a stream has not: its lines, with HttpClient. */
  static BufferedReader stream(String bearer) throws Exception {
    var uri = URI.create(needed("EINLADUNG_STATUS") + "/v1/indicators/stream");
    var request = HttpRequest.newBuilder(uri).header("Authorization", bearer).build();
    var body = HttpClient.newHttpClient().send(request, BodyHandlers.ofInputStream()).body();
    return new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
  }

  static void shown(BufferedReader stream, UUID id, State overall, int attempt) throws Exception {
    var mapper = status.client.ApiClient.createDefaultObjectMapper();
    var kind = "";
    for (var line = stream.readLine(); line != null; line = stream.readLine()) {
      if (line.startsWith("event: ")) kind = line.substring(7);
      if (!line.startsWith("data: ") || !kind.equals("indicator")) continue;
      var indicator = mapper.readValue(line.substring(6), IndicatorView.class);
      if (indicator.getAppointmentId().equals(id) && indicator.getOverall() == overall
          && indicator.getAttempt() == attempt) return;
    }
    throw new AssertionError("the stream has ended");
  }

  interface Call {
    void make() throws ApiException;
  }

  static Problem refusal(int status, Call call) throws Exception {
    try {
      call.make();
    } catch (ApiException refused) {
      var body = refused.getResponseBody();
      check(refused.getCode() == status, body);
      return ApiClient.createDefaultObjectMapper().readValue(body, Problem.class);
    }
    throw new AssertionError("not refused with " + status);
  }

  static String header(ApiResponse<?> answer, String name) {
    return answer.getHeaders().entrySet().stream()
        .filter(each -> each.getKey().equalsIgnoreCase(name))
        .findFirst().orElseThrow().getValue().get(0);
  }

  static String needed(String name) {
    var value = System.getenv(name);
    check(value != null, name + " is not set");
    return value;
  }

  static void check(boolean holds, Object otherwise) {
    if (!holds) throw new AssertionError(otherwise);
  }
}
