// Posts to each address with the client of Java, as it is. Compiled by: javac -g:none --release 11 Post.java
import java.net.URI;
import java.net.http.*;
public class Post {
    public static void main(String[] args) throws Exception {
        var client = HttpClient.newHttpClient();
        for (var path : args) {
            var request = HttpRequest.newBuilder(URI.create(path))
                .POST(HttpRequest.BodyPublishers.ofString("body of " + path)).build();
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).body());
        }
    }
}
