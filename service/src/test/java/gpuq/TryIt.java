package gpuq;
import gpuq.api.*; import gpuq.auth.*; import gpuq.db.*; import gpuq.launch.*; import gpuq.node.*; import gpuq.results.*;
import java.nio.file.*; import java.util.*; import java.time.*;
public class TryIt {
  public static void main(String[] a) throws Exception {
    Path d = Path.of(a[0]); Site.in(d, 2, 8001);
    Database db = Database.open(DatabaseSettings.embedded(d.resolve("database")));
    Users users = new Users(db, Clock.systemUTC()); users.addDemonstrationUser();
    Map<Integer, Node> nodes = new TreeMap<>();
    for (int i = 0; i < 2; i++) nodes.put(i, LocalNode.local("" + i, Site.CHECKOUT.resolve("node-scripts/bin/gpuq"), d.resolve("node-" + i + "/gpuq.conf")));
    new Server(ApiSettings.defaults(), db, users, new LaunchTemplates(Site.CHECKOUT.resolve("templates/launch")), new ResultsArchive(d), nodes, Map.of(0, "127.0.0.1", 1, "127.0.0.1"));
    System.out.println("READY");
    Thread.sleep(Long.MAX_VALUE);
  }
}
