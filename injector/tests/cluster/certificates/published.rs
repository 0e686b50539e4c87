//! A new authority and the webhook configuration: who calls has to trust it first.

use super::*;

static DAYS: AtomicI64 = AtomicI64::new(0);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn later() -> SystemTime {
    clock::now() + DAY * u32::try_from(DAYS.load(Ordering::Relaxed)).unwrap()
}

fn settings() -> Settings {
    let (lifetime, ca_lifetime) = (90 * DAY, 300 * DAY);
    Settings {
        lifetime,
        ca_lifetime,
        overlap: Duration::from_secs(1),
        clock_tolerance: Duration::MAX,
        ..Settings::new(names())
    }
}

/// One leader, and what it is told that the webhook configuration holds: at first what there is at first.
struct Told {
    secrets: Api<Secret>,
    replica: Replica,
    published: watch::Sender<Option<CaBundle>>,
}

impl Told {
    async fn start(client: &Client, name: &str) -> Self {
        let secrets = namespace(client, name).await;
        let (published, receiver) = watch::channel(None);
        let replica = replica_told(client, (name, "one"), &settings(), later, receiver);
        let told = Self { secrets, replica, published };
        told.until_settled("made").await;
        told.publish();
        told
    }

    async fn until_settled(&self, what: &str) {
        eventually(what, async || is_settled(&self.secrets, &[&self.replica], later()).await).await;
    }

    async fn until(&self, what: &str, holds: impl Fn(&Material) -> bool) {
        eventually(what, async || holds(&material(&self.secrets).await.0)).await;
    }

    fn publish(&self) {
        self.published.send_replace(self.replica.bundle.borrow().clone());
    }
}

#[tokio::test]
async fn a_new_authority_signs_once_the_webhook_configuration_holds_it_or_the_old_one_is_about_to_end() {
    let Some(client) = client().await else { return };
    let [allowed, forbidden] = ["certificates-published", "certificates-unpublished"];
    let (allowed, forbidden) = tokio::join!(Told::start(&client, allowed), Told::start(&client, forbidden));
    // A certificate is made anew after two thirds of its time.
    for days in [80, 160] {
        DAYS.store(days, Ordering::Relaxed);
        for told in [&allowed, &forbidden] {
            told.until_settled("renewed").await;
        }
    }
    DAYS.store(205, Ordering::Relaxed);
    for told in [&allowed, &forbidden] {
        told.until("published", |material| material.next.is_some()).await;
    }
    sleep(3 * settings().overlap).await;
    for told in [&allowed, &forbidden] {
        assert!(material(&told.secrets).await.0.next.is_some(), "it does not sign before it is trusted");
    }

    allowed.publish();
    allowed.until("signs", |material| material.next.is_none() && material.authorities.len() == 2).await;
    allowed.until_settled("what the new one signed is served").await;
    sleep(3 * settings().overlap).await;
    assert!(material(&forbidden.secrets).await.0.next.is_some());

    DAYS.store(211, Ordering::Relaxed);
    forbidden.until("signs in the end", |material| material.next.is_none()).await;
}
